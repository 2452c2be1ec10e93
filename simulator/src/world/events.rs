//! What happens at a time of its own: ticks of the tally and of the scrapes, checks of the policy, ends of attempts.

use scaler_engine::{ActionOutcome, Policy};

use super::{ACTIONS_LISTED_MAX, MINUTE, STEP, Steering, World};
use crate::control::Event;
use crate::observer::Observer;
use crate::replica::Life;
use crate::result::ActionTaken;
use crate::time::{Nanoseconds, SECOND, nanoseconds_of, run_time, seconds_of};

impl<P: Policy, O: Observer> World<'_, P, O> {
    /// Carries out an event; none if the run may not go on.
    pub(super) fn happen(&mut self, now: Nanoseconds, event: Event) -> Option<()> {
        match event {
            // In overload there are many of these; they concern one replica.
            Event::TimedOut { replica, .. } => self.settle_one(now, replica),
            _ => self.settle_all(now),
        }
        match event {
            Event::Fault { place } => self.die(now, place),
            Event::Admit { replica, started_at } => {
                let starting = &self.replicas[replica as usize];
                if starting.life == Life::Starting && starting.started_at == started_at {
                    self.admit(now, replica);
                }
            }
            Event::Gone { replica } => self.leave(now, replica),
            Event::TimedOut { replica, number, sent_at } => self.time_out(now, replica, number, sent_at),
            Event::Step => {
                self.tally.end_step(self.step_began_at, now);
                self.step_began_at = now;
                self.control.add(now + STEP, Event::Step);
            }
            Event::Minute => {
                self.tally.end_minute();
                self.control.add(now + MINUTE, Event::Minute);
                if !self.observer.may_go_on(std::time::Duration::from_nanos(now)) {
                    return None;
                }
            }
            Event::Point => {
                let replicas = self.moment();
                self.tally.end_point(now, replicas);
                self.control.add(now + self.point_length, Event::Point);
            }
            Event::Scrape => self.scrape(now),
            Event::Check => self.check(now),
        }
        Some(())
    }

    /// Scrapes each replica that serves or has served.
    fn scrape(&mut self, now: Nanoseconds) {
        let Some(measuring) = &mut self.measuring else { return };
        for place in &self.existing {
            let replica = &mut self.replicas[*place as usize];
            if replica.life != Life::Starting {
                measuring.scrape(now, replica);
            }
        }
        let interval = nanoseconds_of(self.model.signals.scrape_interval).max(1);
        self.control.add(now + interval, Event::Scrape);
    }

    fn check(&mut self, now: Nanoseconds) {
        if matches!(self.steering, Steering::Plan { .. }) {
            self.follow_plan(now);
        } else {
            self.ask_policy(now);
        }
    }

    fn follow_plan(&mut self, now: Nanoseconds) {
        let before = self.counts().0;
        let Steering::Plan { counts, next, desired } = &mut self.steering else { return };
        while let Some((at, count)) = counts.get(*next)
            && nanoseconds_of(*at) <= now
        {
            *desired = (*count).min(self.model.replicas.max);
            *next += 1;
        }
        if let Some((at, _)) = counts.get(*next) {
            self.control.add(nanoseconds_of(*at), Event::Check);
        }
        let asked = *desired;
        if asked != before {
            self.scale(now, before, asked, "planned".to_owned());
        }
    }

    fn ask_policy(&mut self, now: Nanoseconds) {
        let (Some(measuring), Steering::Policy(control)) = (&mut self.measuring, &mut self.steering) else {
            return;
        };
        measuring.deliver(now);
        let at = control.engine().check_time(run_time(now));
        let existing = self.existing.iter().map(|place| &self.replicas[*place as usize]);
        let staying = existing.clone().filter(|replica| replica.life != Life::Draining).count();
        let staying = u32::try_from(staying).unwrap_or(u32::MAX);
        let desired = control.engine().desired().unwrap_or(staying);
        let seen = measuring.observe(now, at, desired, existing);
        let decision = control.check(&seen);
        self.observer.on_decision(&decision);
        let acts = control.is_to_act(&decision);
        if acts {
            control.begin_action(decision.clone());
            let outcome = ActionOutcome {
                before: Some(staying),
                asked: decision.to,
                after: Some(decision.to),
                succeeded: true,
            };
            control.end_action(run_time(now), Some(&outcome));
        }
        let wait = nanoseconds_of(control.engine().next_check(run_time(now)));
        let interval = nanoseconds_of(control.engine().policy().check_interval()).max(SECOND / 1000);
        self.control.add(now + if wait == 0 { interval } else { wait }, Event::Check);
        if acts {
            self.scale(now, staying, decision.to, decision.reason.to_string());
        }
    }

    /// Brings the number of replicas from `before` to `asked`, and notes it.
    fn scale(&mut self, now: Nanoseconds, before: u32, asked: u32, reason: String) {
        self.account_until(now);
        let account = &mut self.account;
        account.scale_ups += u64::from(asked > before);
        account.scale_downs += u64::from(asked < before);
        account.churn += u64::from(asked.abs_diff(before));
        if account.actions.len() < ACTIONS_LISTED_MAX {
            account.actions.push(ActionTaken {
                at_seconds: seconds_of(now),
                from: before,
                to: asked,
                reason,
            });
        }
        self.scale_to(now, asked);
    }
}

//! Plays seeded traffic whose picks were recorded before the rotation was made fast: a change of the code that is meant
//! to change no rule must not move a single pick.
//!
//! Each digest covers every pick, every ejection, and where each endpoint stands in the end. A changed rule changes
//! digests: then the new ones are recorded, and `docs/decisions/` says why.

#[path = "frozen_picks/world.rs"]
mod world;

use self::world::{Behaviour, World};

/// A seeded course of traffic and what the recorded code made of it.
struct Recorded {
    name: &'static str,
    behaviours: &'static [(Behaviour, usize)],
    requests: u64,
    gap_micros: u64,
    /// Requests between two changes of the membership; none without such changes.
    churn_each: Option<u64>,
    digest: u64,
}

const RECORDED: [Recorded; 8] = [
    Recorded {
        name: "calm, one endpoint slow",
        behaviours: &[(Behaviour::Steady, 7), (Behaviour::Slow, 1)],
        requests: 20_000,
        gap_micros: 2_000,
        churn_each: None,
        digest: 0x2f38_e644_f8da_ebe9,
    },
    Recorded {
        name: "equal latencies, so that ties decide",
        behaviours: &[(Behaviour::Constant, 5)],
        requests: 20_000,
        gap_micros: 3_000,
        churn_each: None,
        digest: 0x9dad_1f5f_04ca_1226,
    },
    Recorded {
        name: "some fail, are ejected and come back",
        behaviours: &[(Behaviour::Steady, 4), (Behaviour::FailsAtTimes, 3)],
        requests: 40_000,
        gap_micros: 4_000,
        churn_each: None,
        digest: 0x64b7_6250_1995_18cc,
    },
    Recorded {
        name: "some refuse, more than can be ejected fail",
        behaviours: &[(Behaviour::Steady, 1), (Behaviour::Refuses, 2), (Behaviour::Fails, 3)],
        requests: 20_000,
        gap_micros: 5_000,
        churn_each: None,
        digest: 0x24ef_f781_af2e_e8ff,
    },
    Recorded {
        name: "some answer 4xx, with long pauses between requests",
        behaviours: &[(Behaviour::Steady, 3), (Behaviour::Rejects, 1), (Behaviour::RejectsSometimes, 3)],
        requests: 10_000,
        gap_micros: 300_000,
        churn_each: None,
        digest: 0xb4db_700f_8166_db16,
    },
    Recorded {
        name: "probes fail at times",
        behaviours: &[(Behaviour::Steady, 3), (Behaviour::UnreadyAtTimes, 4), (Behaviour::FailsAtTimes, 2)],
        requests: 30_000,
        gap_micros: 4_000,
        churn_each: None,
        digest: 0x33a1_753d_ea29_61ce,
    },
    Recorded {
        name: "endpoints come and go, by order and by DNS",
        behaviours: &[
            (Behaviour::Steady, 6),
            (Behaviour::Slow, 2),
            (Behaviour::FailsAtTimes, 3),
            (Behaviour::UnreadyAtTimes, 3),
            (Behaviour::Rejects, 1),
            (Behaviour::Refuses, 1),
        ],
        requests: 40_000,
        gap_micros: 3_000,
        churn_each: Some(150),
        digest: 0xf770_22bd_f1a0_a000,
    },
    Recorded {
        name: "five hundred endpoints of all kinds that come and go",
        behaviours: &[
            (Behaviour::Steady, 250),
            (Behaviour::Constant, 50),
            (Behaviour::Slow, 50),
            (Behaviour::FailsAtTimes, 50),
            (Behaviour::UnreadyAtTimes, 50),
            (Behaviour::RejectsSometimes, 50),
        ],
        requests: 40_000,
        gap_micros: 500,
        churn_each: Some(500),
        digest: 0x892a_cb84_780f_8a11,
    },
];

#[test]
fn the_recorded_traffic_is_picked_as_it_was_recorded() {
    let mut moved = Vec::new();
    for (seed, recorded) in (1..).zip(&RECORDED) {
        let mut world = World::new(recorded.behaviours, recorded.churn_each, seed);
        world.run(recorded.requests, recorded.gap_micros);
        let digest = world.digest();
        if digest != recorded.digest {
            moved.push(format!("{}: {digest:#018x}", recorded.name));
        }
    }
    assert_eq!(moved, Vec::<String>::new(), "these digests changed");
}

#[test]
fn one_other_draw_gives_another_digest() {
    let [first, second] = [1, 2].map(|seed| {
        let mut world = World::new(&[(Behaviour::Steady, 4)], None, seed);
        world.run(100, 1_000);
        world.digest()
    });
    assert_ne!(first, second);
}

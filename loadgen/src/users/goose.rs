//! Users on Goose, in the one file that names it: Goose starts each, runs it in its loop, and stops it.
//!
//! Goose is told to leave the process alone: it sends, counts and prints nothing. Its killswitch, which ends all users,
//! belongs to the whole process, so that one run at a time can be led.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::goose::client::GooseClientBuilder;
use ::goose::config::GooseConfiguration;
use ::goose::goose::{Scenario as GooseScenario, Transaction, TransactionFunction};
use ::goose::{GooseAttack, GooseError};

use crate::config::{Load, LoadConfig};
use crate::error::LoadError;
use crate::scenario::UserType;
use crate::users::player::Player;
use crate::users::shared::Shared;

/// Goose starts so many users a second; all wait until they are let in.
const LAUNCHES_PER_SECOND: usize = 1_000_000;

/// Users who are ready to act.
pub(crate) struct Users(GooseAttack);

impl Users {
    /// Makes the users of a run, and forgets that an earlier one was ended.
    ///
    /// # Errors
    /// In Goose's own words, where it takes no such users.
    pub(crate) fn new(config: &LoadConfig, shared: &Arc<Shared>) -> Result<Self, LoadError> {
        let attack = attack(config, shared).map_err(|error| failure(&error))?;
        ::goose::reset_killswitch();
        Ok(Self(attack))
    }

    /// Starts the users and lets them act until [`end_all`].
    ///
    /// # Errors
    /// In Goose's own words.
    pub(crate) async fn act(self) -> Result<(), LoadError> {
        // Goose's own measurements are empty.
        Box::pin(self.0.execute()).await.map(|_metrics| ()).map_err(|error| failure(&error))
    }
}

/// Ends all users of the process; at its very start Goose forgets it again.
pub(crate) fn end_all(reason: &str) {
    ::goose::trigger_killswitch(reason);
}

/// Whether something has ended all users, such as Ctrl-C where Goose handles it.
pub(crate) fn are_ended() -> bool {
    ::goose::is_killswitch_triggered()
}

/// Goose's own words for an error; its `Display` alone leaves out what was wrong.
fn failure(error: &GooseError) -> LoadError {
    LoadError::Goose(match error {
        GooseError::InvalidOption { option, value, detail } => format!("{option} `{value}`: {detail}"),
        other => chain(other),
    })
}

/// An error and what caused it, outermost first.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause in their own text.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn attack(config: &LoadConfig, shared: &Arc<Shared>) -> Result<GooseAttack, GooseError> {
    let arguments = [
        // Goose is never asked to send anything, but wants a host.
        format!("--host={}", shared.sender.service.text),
        format!("--users={}", config.pool()),
        format!("--increase-rate={LAUNCHES_PER_SECOND}"),
        "--no-telnet".to_owned(),
        "--no-print-metrics".to_owned(),
        "--no-metrics".to_owned(),
        "--quiet".to_owned(),
    ];
    let configuration = GooseConfiguration::parse_args_default(&arguments)?;
    // Goose's own clients are not used; one for all is the cheapest to build.
    let mut attack = GooseAttack::initialize_with_config(configuration)?
        .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?;
    for (kind, user_type) in shared.scenario.user_types().iter().enumerate() {
        attack = attack.register_scenario(scenario(kind, user_type, config, shared)?);
    }
    Ok(attack)
}

/// One kind of user as Goose runs it: a single transaction, in which the user itself chooses what to do.
fn scenario(
    kind: usize,
    user_type: &UserType,
    config: &LoadConfig,
    shared: &Arc<Shared>,
) -> Result<GooseScenario, GooseError> {
    let starting = Arc::clone(shared);
    let start: TransactionFunction = Arc::new(move |user| {
        let shared = Arc::clone(&starting);
        Box::pin(async move {
            let player = Player::new(&shared, kind, user.weighted_users_index);
            user.set_session_data(player);
            shared.launched.fetch_add(1, Ordering::Release);
            Ok(())
        })
    });
    let act: TransactionFunction = Arc::new(move |user| {
        Box::pin(async move {
            if let Some(player) = user.get_session_data_mut::<Player>() {
                player.act().await;
            }
            Ok(())
        })
    });
    let stop: TransactionFunction = Arc::new(move |user| {
        Box::pin(async move {
            if let Some(player) = user.get_session_data_mut::<Player>() {
                player.leave().await;
            }
            Ok(())
        })
    });
    // With a schedule each kind has as many users, and the schedule knows the shares: few users of a rare kind could
    // be none.
    let weight = match config.load {
        Load::Users(_) => user_type.weight as usize,
        Load::Rate { .. } => 1,
    };
    GooseScenario::new(&user_type.name)
        .register_transaction(Transaction::new(start).set_on_start())
        .register_transaction(Transaction::new(act).set_name("act"))
        .register_transaction(Transaction::new(stop).set_on_stop())
        .set_weight(weight)
}

#[cfg(test)]
mod tests;

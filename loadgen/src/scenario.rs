//! What the users of a run do: which user types take part.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod api_user;
mod buyer;
mod user_type;

pub(crate) use user_type::{Action, UserType};

/// Which of the built-in users load the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Reads the dashboard three times as often as it creates an event; pauses 1 to 3 s.
    ApiUser,
    /// Visits the shop, orders and buys, each as often; pauses 1 to 3 s.
    Buyer,
    /// Both, in turn: the first user is an API user, the second a buyer.
    #[default]
    Mixed,
}

impl Scenario {
    const ALL: [Self; 3] = [Self::ApiUser, Self::Buyer, Self::Mixed];

    /// The name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiUser => "api-user",
            Self::Buyer => "buyer",
            Self::Mixed => "mixed",
        }
    }

    /// The user types that take part, in the order in which users are shared out among them.
    pub(crate) fn user_types(self) -> Vec<UserType> {
        match self {
            Self::ApiUser => vec![api_user::api_user()],
            Self::Buyer => vec![buyer::buyer()],
            Self::Mixed => vec![api_user::api_user(), buyer::buyer()],
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A text that names no scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scenario `{0}` is unknown, expected `api-user`, `buyer` or `mixed`; hint: `mixed` is the default")]
pub struct UnknownScenario(pub String);

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, UnknownScenario> {
        Self::ALL
            .into_iter()
            .find(|scenario| scenario.name() == text)
            .ok_or_else(|| UnknownScenario(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Scenario, UnknownScenario};

    #[test]
    fn a_scenario_is_read_back_from_its_name_on_the_command_line_and_in_results() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.to_string().parse(), Ok(scenario));
            assert_eq!(serde_json::to_string(&scenario).unwrap(), format!("\"{scenario}\""));
        }
        assert_eq!("locust".parse::<Scenario>(), Err(UnknownScenario("locust".to_owned())));
    }
}

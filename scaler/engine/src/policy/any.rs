//! Makes one type of all kinds of policy: the live scaler follows whichever a file asks for.
//!
//! The kinds are listed once, in `policy.rs`. From that list come [`AnyPolicy`](crate::policy::AnyPolicy), what it
//! remembers, and the reasons of its own that each kind gives.

use core::fmt;

/// What the reasons of one kind of policy have in common.
pub trait ReasonOfKind: fmt::Display {
    /// Every code. No other kind uses one of them for another meaning.
    const CODES: &'static [&'static str];

    /// The reason as one word for metric labels and the API.
    fn code(&self) -> &'static str;

    /// One reason for each code, in their order.
    #[cfg(test)]
    fn one_of_each() -> alloc::vec::Vec<Self>
    where
        Self: Sized;
}

/// Lists the kinds of policy: a variant, the kind as documents name it, the types of policy, history and reason.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident, $name:literal, $policy:ty, $history:ty, $reason:ty;)+) => {
        /// A checked policy of any kind, with its history.
        #[allow(clippy::large_enum_variant, clippy::allow_attributes, reason = "kinds keep their size within bounds themselves")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyPolicy {
            $($(#[doc = $doc])+ $kind($policy),)+
        }

        /// What a policy remembers between checks, per kind of policy.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "kind")]
        pub enum PolicyHistory {
            $(#[doc = concat!("What a ", $name, " remembers.")] #[serde(rename = $name)] $kind($history),)+
        }

        /// A reason that one kind of policy has for itself. Its code says which kind it is.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(untagged)]
        pub enum PolicyReason {
            $(#[doc = concat!("A reason of a ", $name, ".")] $kind($reason),)+
        }

        /// Does the same with the policy inside, of whichever kind.
        macro_rules! with_policy {
            ($any:expr, $inside:ident => $what:expr) => {
                match $any { $(AnyPolicy::$kind($inside) => $what,)+ }
            };
        }

        impl PolicyHistory {
            /// The kind of policy that it belongs to, as documents name it.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => $name,)+ }
            }
        }

        impl PolicyReason {
            /// The codes of every kind, for documentation and for metrics that start at zero.
            pub fn codes() -> impl Iterator<Item = &'static str> {
                let codes: &[&[&'static str]] = &[$(<$reason as ReasonOfKind>::CODES,)+];
                codes.iter().copied().flatten().copied()
            }

            /// The reason as one word for metric labels and the API.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$kind(reason) => reason.code(),)+ }
            }
        }

        #[cfg(test)]
        impl PolicyReason {
            pub(crate) fn one_of_each() -> Vec<Self> {
                let mut reasons = Vec::new();
                $(reasons.extend(<$reason as ReasonOfKind>::one_of_each().into_iter().map(Self::$kind));)+
                reasons
            }
        }

        impl fmt::Display for PolicyReason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$kind(reason) => reason.fmt(f),)+ }
            }
        }

        impl Policy for AnyPolicy {
            type History = PolicyHistory;

            fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => $name,)+ }
            }

            fn limits(&self) -> Limits {
                with_policy!(self, policy => policy.limits())
            }

            fn check_interval(&self) -> Duration {
                with_policy!(self, policy => policy.check_interval())
            }

            fn needs(&self) -> Vec<Need> {
                with_policy!(self, policy => policy.needs())
            }

            fn window(&self) -> Duration {
                with_policy!(self, policy => policy.window())
            }

            fn propose(&mut self, situation: &Situation<'_>) -> Proposal {
                with_policy!(self, policy => policy.propose(situation))
            }

            fn miscount(&self) -> Miscount {
                with_policy!(self, policy => policy.miscount())
            }

            fn can_leave_zero(&self) -> bool {
                with_policy!(self, policy => policy.can_leave_zero())
            }

            fn begin_check(&mut self, check: Check) {
                with_policy!(self, policy => policy.begin_check(check));
            }

            fn on_scaled(&mut self, action: &Scaled) {
                with_policy!(self, policy => policy.on_scaled(action));
            }

            fn broken_rule(
                &self,
                decision: &Decision,
                seen: &Observation,
                last_action_at: Option<Duration>,
            ) -> Option<&'static str> {
                with_policy!(self, policy => policy.broken_rule(decision, seen, last_action_at))
            }

            fn history(&self) -> PolicyHistory {
                match self { $(Self::$kind(policy) => PolicyHistory::$kind(policy.history()),)+ }
            }

            fn restore(&mut self, history: PolicyHistory) -> Result<(), PolicyHistory> {
                match (self, history) {
                    $((Self::$kind(policy), PolicyHistory::$kind(history)) => {
                        policy.restore(history).map_err(PolicyHistory::$kind)
                    })+
                    #[allow(unreachable_patterns, clippy::allow_attributes, reason = "unreachable with one kind alone")]
                    (_, history) => Err(history),
                }
            }

            fn take_over(&mut self, before: &Self) -> bool {
                match (self, before) {
                    $((Self::$kind(policy), Self::$kind(before)) => policy.take_over(before),)+
                    #[allow(unreachable_patterns, clippy::allow_attributes, reason = "unreachable with one kind alone")]
                    _ => false,
                }
            }

            fn settings_shown(&self) -> Vec<Setting> {
                with_policy!(self, policy => policy.settings_shown())
            }

            fn thresholds(&self) -> Vec<Threshold> {
                with_policy!(self, policy => policy.thresholds())
            }

            fn conditions(&self) -> Vec<ConditionShown> {
                with_policy!(self, policy => policy.conditions())
            }

            fn events(&self) -> Vec<PolicyEvent> {
                with_policy!(self, policy => policy.events())
            }
        }

        $(impl From<$policy> for AnyPolicy {
            fn from(policy: $policy) -> Self {
                Self::$kind(policy)
            }
        }

        impl From<$reason> for PolicyReason {
            fn from(reason: $reason) -> Self {
                Self::$kind(reason)
            }
        }

        impl From<$reason> for Reason {
            fn from(reason: $reason) -> Self {
                Self::OfPolicy(PolicyReason::$kind(reason))
            }
        })+
    };
}

pub(crate) use kinds;

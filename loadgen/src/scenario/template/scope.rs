//! What one user knows while it fills in a text.

use workload::Stream;

use crate::scenario::untyped::Untyped;

/// What one user knows while it fills in a text.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    /// The variables, by their place among the user's symbols; none where it was not set yet.
    pub(crate) values: &'a [Option<Untyped>],
    /// The user's own random stream.
    pub(crate) stream: &'a mut Stream,
    /// Tells users apart; counts from 1.
    pub(crate) user_number: u64,
    /// How many tasks the user has begun; counts from 1.
    pub(crate) iteration: u64,
}

/// A variable is needed that was not set: an answer or a row that should have set it has not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotSet;

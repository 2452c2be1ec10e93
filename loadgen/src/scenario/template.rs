//! Texts with `${…}` in them: read once, with every name known, and filled in for each request.
//!
//! `${name}` is a variable, `${randomInt(1, 5)}` a function; `$${` stands for `${` itself.

mod expression;
mod json;
mod scope;
mod text;

pub(crate) use expression::Symbols;
pub(crate) use json::JsonTemplate;
pub(crate) use scope::{NotSet, Scope};
pub(crate) use text::Template;

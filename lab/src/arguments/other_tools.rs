//! Flags that other load generators have: refused, with the flag that does the same here.

use clap::Args;
use clap::builder::UnknownArgumentValueParser;

/// Never set: each value is refused.
#[derive(Clone, Debug, Args)]
pub(crate) struct OtherToolsArguments {
    /// As in k6; here it is --run-time
    #[arg(long, hide = true, value_parser = UnknownArgumentValueParser::suggest_arg("--run-time"))]
    duration: Option<String>,
    /// As in k6; here it is --users
    #[arg(long, hide = true, value_parser = UnknownArgumentValueParser::suggest_arg("--users"))]
    vus: Option<String>,
    /// As in locust and k6; here it is --users
    #[arg(short = 'u', hide = true, value_parser = UnknownArgumentValueParser::suggest_arg("--users"))]
    user_count: Option<String>,
}

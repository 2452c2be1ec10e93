//! `lab policy diff`: what two policies decide differently by.

use clap::Args;
use scaler_documents::{Decisive, Difference, decisive, decisive_own, diff};
use serde::Serialize;

use super::file::{PolicyFile, read_all_valid};
use crate::arguments::log::LogArguments;
use crate::failure::{ExitStatus, Failure};
use crate::output::say;

/// Compare what two policies decide by, field by field, with defaults filled in.
///
/// Fields that only a server writes, their order and comments make no difference. Exit status 1 where the policies differ.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab policy diff before.yaml after.yaml\n  lab policy diff moderate aggressive"
)]
pub(super) struct DiffArguments {
    /// The first file; the names of shipped policies are taken as well
    #[arg(value_name = "A")]
    before: String,
    /// The second file
    #[arg(value_name = "B")]
    after: String,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArguments,
}

#[derive(Serialize)]
struct Differences {
    differences: Vec<Changed>,
}

#[derive(Serialize)]
struct Changed {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

pub(super) fn run(arguments: &DiffArguments) -> Result<ExitStatus, Failure> {
    observability::logs::start(&arguments.log.log_level, arguments.log.log_format)
        .map_err(Failure::bad_input)?;
    let given = [arguments.before.clone(), arguments.after.clone()];
    let files = match read_all_valid(&given, arguments.json) {
        Ok(files) => files,
        Err(status) => return Ok(status),
    };
    let read: Vec<Decisive> = files.iter().map(decided_by).collect();
    let differences = match read.as_slice() {
        [before, after] => diff(before, after),
        _ => Vec::new(),
    };
    if arguments.json {
        let changed = |difference: &Difference| {
            let Difference { field, before, after } = difference.clone();
            Changed { field, before, after }
        };
        let differences = Differences { differences: differences.iter().map(changed).collect() };
        say(&serde_json::to_string_pretty(&differences).expect("differences are JSON"));
    } else if differences.is_empty() {
        say("no difference");
    } else {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(not there)".to_owned());
        for Difference { field, before, after } in &differences {
            say(&format!("{field}: {} → {}", shown(before), shown(after)));
        }
    }
    Ok(if differences.is_empty() { ExitStatus::Held } else { ExitStatus::NotHeld })
}

fn decided_by(file: &PolicyFile) -> Decisive {
    match &file.own {
        Some(own) => decisive_own(&own.policy),
        None => decisive(&file.manifest),
    }
}

//! `lab policy suggest`: a policy made of a measurement.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use loadgen::Threshold;
use loadgen_baseline::Slo;
use loadgen_baseline::suggest::{Suggestion, SuggestionSettings, suggest};
use scaler::policy_file::{NamedPolicy, PolicyOverrides};

use crate::arguments::log::LogArguments;
use crate::failure::{ExitStatus, Failure};
use crate::output::{replace, say};

/// Which policy to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PolicyFormat {
    /// The lab's own `ThresholdPolicy`, for `lab up --policy`.
    Threshold,
    /// `autoscaling/v2` `HorizontalPodAutoscaler`.
    Hpa,
}

/// Write the policy whose target is the measured capacity of a replica, with headroom.
///
/// It acts on requests per second and replica. What was assumed is in its comments.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab policy suggest --from baseline.json --slo p95=250ms --out suggested.yaml\n  \
                        lab up --policy suggested.yaml"
)]
pub(super) struct SuggestArguments {
    /// The baseline that `lab baseline --out` wrote
    #[arg(long, value_name = "FILE", default_value = "baseline.json")]
    from: PathBuf,
    /// What has to be kept [default: what the baseline was measured against]
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    slo: Vec<Threshold>,
    /// The share of the measured capacity that is left free
    #[arg(long, value_name = "FRACTION", default_value_t = SuggestionSettings::default().headroom)]
    headroom: f64,
    /// Which kind of policy to write
    #[arg(long, value_enum, value_name = "KIND", default_value_t = PolicyFormat::Threshold)]
    format: PolicyFormat,
    /// Fewest replicas
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_replicas: u32,
    /// Most replicas
    #[arg(long, value_name = "N", default_value_t = 6)]
    max_replicas: u32,
    /// Name of the policy, and of the deployment in a manifest
    #[arg(long, value_name = "NAME", default_value = "webapp")]
    name: String,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    log: LogArguments,
}

pub(super) fn run(arguments: &SuggestArguments) -> Result<ExitStatus, Failure> {
    observability::logs::start(&arguments.log.log_level, arguments.log.log_format)
        .map_err(Failure::bad_input)?;
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if arguments.name.is_empty() || !arguments.name.chars().all(is_name) {
        return Err(Failure::bad_input(format!(
            "--name is `{}`, expected lowercase letters, digits and `-`; hint: Kubernetes takes no other name",
            arguments.name
        )));
    }
    let slo = match arguments.slo.as_slice() {
        [] => None,
        given => Some(Slo::try_from(given.to_vec()).map_err(Failure::bad_input)?),
    };
    let baseline = loadgen::read_baseline(&arguments.from).map_err(Failure::bad_input)?;
    let settings = SuggestionSettings { slo, headroom: arguments.headroom };
    let suggestion = suggest(&baseline, &settings).map_err(Failure::bad_input)?;
    let policy = threshold(arguments, &suggestion);
    // Whatever is written obeys the rules of a policy, limits included.
    NamedPolicy::from_text("the suggested policy", &arguments.name, &policy, &PolicyOverrides::default())
        .map_err(|error| Failure::bad_input(format!("{error}; hint: {}", error.hint)))?;
    let text = match arguments.format {
        PolicyFormat::Threshold => policy,
        PolicyFormat::Hpa => hpa(arguments, &suggestion),
    };
    match &arguments.out {
        None => say(text.trim_end_matches('\n')),
        Some(path) => replace(path, &text)?,
    }
    Ok(ExitStatus::Held)
}

fn comments(arguments: &SuggestArguments, suggestion: &Suggestion) -> String {
    let mut text = String::new();
    let mut comment =
        |sentence: &str| writeln!(text, "# {sentence}").expect("a string takes whatever is written");
    comment(&format!(
        "One replica carried {:.1} requests per second within {}; {:.0} % of that is left free.",
        suggestion.capacity_per_replica_rps,
        suggestion.slo,
        arguments.headroom * 100.0
    ));
    comment("Assumed:");
    for assumption in &suggestion.assumptions {
        comment(&format!("- {assumption}"));
    }
    text
}

fn threshold(arguments: &SuggestArguments, suggestion: &Suggestion) -> String {
    let SuggestArguments { name, min_replicas, max_replicas, .. } = arguments;
    let (up, down) = (suggestion.scale_up_rps, suggestion.scale_down_rps);
    format!(
        "{}apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\nmetadata:\n  name: {name}\nspec:\n  \
         # Offered load, refused requests included, of the whole service divided by its ready replicas.\n  \
         signal: requests_per_second\n  perReplica: true\n  window: 15s\n  checkInterval: 5s\n\n  \
         # Down only where one replica fewer would not ask for it back: two that become one carry twice as much each.\n  \
         scaleUpThreshold: {up}\n  scaleUpChecks: 2\n  scaleDownThreshold: {down}\n  scaleDownChecks: 6\n\n  \
         minReplicas: {min_replicas}\n  maxReplicas: {max_replicas}\n  \
         scaleUpCooldown: 15s\n  scaleDownCooldown: 60s\n",
        comments(arguments, suggestion)
    )
}

fn hpa(arguments: &SuggestArguments, suggestion: &Suggestion) -> String {
    let SuggestArguments { name, min_replicas, max_replicas, .. } = arguments;
    format!(
        "{}# The metric is what an adapter makes of Prometheus' rate(webapp_total_requests[1m]) of each pod: under this\n\
         # name, or change it here. Kubernetes adds as many replicas at once as the ratio to the target asks for.\n\
         apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: {name}\nspec:\n  \
         scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {name}\n  \
         minReplicas: {min_replicas}\n  maxReplicas: {max_replicas}\n  metrics:\n    - type: Pods\n      pods:\n        \
         metric:\n          name: requests_per_second\n        target:\n          type: AverageValue\n          \
         averageValue: {}\n",
        comments(arguments, suggestion),
        quantity(suggestion.scale_up_rps)
    )
}

/// A number as Kubernetes writes it: whole, or in thousandths.
fn quantity(value: f64) -> String {
    if value.fract() == 0.0 { format!("\"{value:.0}\"") } else { format!("{:.0}m", value * 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::quantity;

    #[test]
    fn quantities_are_kubernetes_own() {
        assert_eq!([quantity(57.6), quantity(60.0)], ["57600m", "\"60\""]);
    }
}

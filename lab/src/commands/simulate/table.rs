//! The table of a result, for people.

use simulator::{ExperimentResult, PolicyResult};

const HEADER: [&str; 12] = [
    "policy",
    "violating",
    "viol. min",
    "p95",
    "p99",
    "refused",
    "replica-h",
    "cost",
    "up/down",
    "churn",
    "regret",
    "front",
];

/// The table, with what it rests on below it.
pub(super) fn of(result: &ExperimentResult, seeds: usize, seconds: f64) -> String {
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(result.policies.iter().map(row));
    if let Some(oracle) = &result.oracle {
        let mut row = [const { String::new() }; HEADER.len()];
        "oracle".clone_into(&mut row[0]);
        row[1] = percent(Some(oracle.violating_request_share));
        row[6] = number(Some(oracle.replica_seconds / 3600.0), 2);
        row[7] = number(Some(oracle.cost), 2);
        rows.push(row);
    }
    let mut widths = [0; HEADER.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; HEADER.len()]| {
        let cells = row.iter().zip(widths).enumerate().map(|(place, (cell, width))| {
            if place == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text: Vec<String> = rows.iter().map(line).collect();
    text.push(String::new());
    let errors = percent(Some(result.slo.errors));
    text.push(format!(
        "{}: mean of {seeds} seeds; violating are requests above {} ms, refused or failed; the objective is p{} within it \
         and at most {errors} unserved; played in {seconds:.1} s",
        result.experiment,
        result.slo.response_time_ms,
        result.slo.quantile * 100.0
    ));
    if result.oracle.is_none() {
        text.push("no oracle: not even a trickle of requests keeps the objective on this service".to_owned());
    }
    text.extend(cheaper(result));
    if !result.complete {
        text.push("incomplete: interrupted, only the runs that had ended are counted".to_owned());
    }
    text.join("\n")
}

fn row(policy: &PolicyResult) -> [String; HEADER.len()] {
    let mean = &policy.mean;
    let refused = mean.refused.zip(mean.requests).map(|(refused, requests)| refused / requests.max(1.0));
    [
        policy.name.clone(),
        percent(mean.violating_request_share),
        number(mean.violating_minutes, 1),
        milliseconds(mean.p95_ms),
        milliseconds(mean.p99_ms),
        percent(refused),
        number(mean.replica_seconds.map(|seconds| seconds / 3600.0), 2),
        number(mean.cost, 2),
        format!("{}/{}", number(mean.scale_ups, 0), number(mean.scale_downs, 0)),
        number(mean.churn, 0),
        policy.regret.map_or_else(|| "-".to_owned(), |regret| format!("{:+.0} %", regret * 100.0)),
        if policy.on_pareto_front { "yes" } else { "no" }.to_owned(),
    ]
}

/// Which policy costs less than which, and on how many of the common seeds.
fn cheaper(result: &ExperimentResult) -> Vec<String> {
    let costs = result.comparisons.iter().filter(|compared| compared.measure == "cost" && compared.seeds > 1);
    costs
        .filter_map(|compared| {
            let (one, other, times) = if compared.first_less >= compared.second_less {
                (&compared.first, &compared.second, compared.first_less)
            } else {
                (&compared.second, &compared.first, compared.second_less)
            };
            (times > 0).then(|| format!("{one} is cheaper than {other} in {times} of {}", compared.seeds))
        })
        .collect()
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", share * 100.0))
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0} ms"))
}

//! Reads what is to be simulated: the experiment, its trace, and its policies.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use scaler::policy_file::{NamedPolicy, PolicyFileError, PolicyOverrides};
use scaler_engine::Policy as _;
use simulator::{Experiment, ExperimentError, PolicyChoice, SHIPPED, Scaling, Trace, TraceChoice};

use super::SimulateArguments;
use super::play::{Contender, Contenders};
use crate::failure::Failure;
use crate::output::note;

/// The largest experiment file that is read.
const EXPERIMENT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The largest trace that is read, unpacked.
const TRACE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// What every packed trace begins with.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An experiment of which nothing is said.
const DEFAULTS: &str = "apiVersion: autoscale-lab/v1\nkind: Experiment\n";

/// The experiment, with what flags put in place of its own, and its trace read.
pub(super) fn experiment(arguments: &SimulateArguments) -> Result<Experiment, Failure> {
    let mut experiment = named(arguments.experiment.as_deref())?;
    if let Some(seeds) = arguments.seeds {
        experiment.seeds = (1..=seeds).collect();
    }
    if !arguments.policy.is_empty() {
        experiment.policies = arguments.policy.iter().map(|text| choice(text)).collect::<Result<_, _>>()?;
    }
    let scale = scale(arguments)?;
    if let Some(file) = &arguments.trace {
        let before = experiment.trace.take();
        experiment.trace = Some(TraceChoice {
            file: file.display().to_string(),
            format: None,
            scale: scale.or(before.as_ref().map(|trace| trace.scale)).unwrap_or(1.0),
            repeat: before.map_or(1, |trace| trace.repeat),
        });
    } else if let (Some(trace), Some(scale)) = (&mut experiment.trace, scale) {
        trace.scale = scale;
    } else if scale.is_some() {
        let problem = "--scale multiplies the rates of a trace, and there is none";
        return Err(Failure::bad_input(format!("{problem}; hint: name one with --trace")));
    }
    if let Some(trace) = experiment.trace.clone() {
        play_trace(&mut experiment, &trace)?;
    }
    Ok(experiment)
}

fn scale(arguments: &SimulateArguments) -> Result<Option<f64>, Failure> {
    match arguments.scale {
        Some(scale) if !(scale > 0.0 && scale <= 1e9) => Err(Failure::bad_input(format!(
            "--scale is {scale}, expected a number above 0 and at most 1000000000; hint: 50 plays a trace at fifty times its rate"
        ))),
        scale => Ok(scale),
    }
}

/// A shipped experiment, a file, or the defaults. Files that a file names are beside it.
fn named(name_or_path: Option<&str>) -> Result<Experiment, Failure> {
    let Some(name) = name_or_path else {
        return Experiment::from_text("the defaults", "trace", DEFAULTS).map_err(|error| refuse(&error));
    };
    if let Some((name, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
        let origin = format!("shipped experiment {name}");
        return Experiment::from_text(&origin, name, text).map_err(|error| refuse(&error));
    }
    let path = Path::new(name);
    let bytes = read_bounded(path, EXPERIMENT_BYTES_MAX).map_err(|problem| {
        let hint = if name.contains(['/', '.']) {
            "give the path of a readable experiment file".to_owned()
        } else {
            let names = SHIPPED.map(|(name, _)| name).join(", ");
            format!("give a path, or one of the shipped experiments: {names}")
        };
        Failure::bad_input(format!("{name}: {problem}; hint: {hint}"))
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::bad_input(format!("{name}: is not text; hint: give the path of an experiment file"))
    })?;
    let stem = path.file_stem().map_or_else(|| name.into(), |stem| stem.to_string_lossy());
    let mut experiment = Experiment::from_text(name, &stem, &text).map_err(|error| refuse(&error))?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let beside = |file: &str| folder.join(file).display().to_string();
    if let Some(trace) = &mut experiment.trace {
        trace.file = beside(&trace.file);
    }
    for policy in &mut experiment.policies {
        if let PolicyChoice::File(file) = policy {
            *file = beside(file);
        }
    }
    Ok(experiment)
}

fn refuse(error: &ExperimentError) -> Failure {
    Failure::bad_input(format!("{error}; hint: {}", error.hint))
}

/// What `--policy` names.
fn choice(text: &str) -> Result<PolicyChoice, Failure> {
    let Some(count) = text.strip_prefix("fixed:") else { return Ok(PolicyChoice::File(text.to_owned())) };
    let read = count.trim().parse().ok().filter(|count| (1..=scaler_engine::REPLICAS_MAX).contains(count));
    read.map(PolicyChoice::Fixed).ok_or_else(|| {
        Failure::bad_input(format!(
            "--policy is `{}`, expected fixed:N with N from 1 to {}; hint: fixed:3 keeps three replicas",
            excerpt::excerpt(text),
            scaler_engine::REPLICAS_MAX
        ))
    })
}

fn play_trace(experiment: &mut Experiment, choice: &TraceChoice) -> Result<(), Failure> {
    let TraceChoice { file, format, scale, repeat } = choice;
    let bad = |problem: String, hint: &str| Failure::bad_input(format!("{file}: {problem}; hint: {hint}"));
    let path = PathBuf::from(file);
    let bytes = read_bounded(&path, TRACE_BYTES_MAX)
        .map_err(|problem| bad(problem, "name a readable trace with --trace"))?;
    // A log may hold bytes of clients that are not UTF-8, but never in its times.
    let text = String::from_utf8_lossy(&bytes);
    let trace = Trace::from_text(&text, *format).map_err(|error| bad(error.to_string(), &error.hint))?;
    if trace.skipped_lines > 0 {
        note(&format!("{file}: {} lines have no time of a request and are left out", trace.skipped_lines));
    }
    let shape = trace.shape(*repeat).map_err(|error| {
        bad(format!("trace makes no valid load: {error}"), "scale it, or repeat it less often")
    })?;
    experiment.play_trace(shape, trace.lasts() * *repeat, *scale);
    Ok(())
}

/// The bytes of a file, unpacked where it is packed, or why there are none.
fn read_bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut bytes = Vec::new();
    read_to_limit(file, bytes_max, &mut bytes)?;
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    read_to_limit(MultiGzDecoder::new(bytes.as_slice()), bytes_max, &mut unpacked)?;
    Ok(unpacked)
}

fn read_to_limit(reader: impl Read, bytes_max: u64, into: &mut Vec<u8>) -> Result<(), String> {
    reader.take(bytes_max + 1).read_to_end(into).map_err(|error| format!("cannot be read: {error}"))?;
    if into.len() as u64 > bytes_max {
        return Err(format!("is larger than {bytes_max} bytes"));
    }
    Ok(())
}

/// The policies of an experiment, each with a name of its own.
pub(super) fn contenders(experiment: &Experiment) -> Result<Contenders, Failure> {
    let overrides = PolicyOverrides { window: experiment.signal_window, ..PolicyOverrides::default() };
    let mut contenders: Vec<Contender> = Vec::new();
    for choice in &experiment.policies {
        let (name, kind, scaling) = match choice {
            PolicyChoice::Fixed(count) => {
                (format!("fixed:{count}"), "Fixed".to_owned(), Scaling::Fixed(*count))
            }
            PolicyChoice::File(name) | PolicyChoice::Shipped(name) => {
                let named = load(name, &overrides)?;
                let kind = named.policy.kind().to_owned();
                (named.name, kind, Scaling::Policy(named.policy))
            }
        };
        let same = contenders.iter().filter(|other| other.base_name == name).count();
        let shown = if same == 0 { name.clone() } else { format!("{name}#{}", same + 1) };
        contenders.push(Contender { name: shown, base_name: name, kind, scaling });
    }
    Ok(Contenders(contenders))
}

/// Reads a policy of whatever kind: the one place where the simulator does.
fn load(name_or_path: &str, overrides: &PolicyOverrides) -> Result<NamedPolicy, Failure> {
    NamedPolicy::load(name_or_path, overrides)
        .map_err(|error: PolicyFileError| Failure::bad_input(format!("{error}; hint: {}", error.hint)))
}

//! Writes what a policy means as another kind of document, with everything that could not be expressed.

mod adapter;
mod hpa;
mod intent;
mod keda;

pub use intent::{Intent, IntentMetric, Measure};

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `autoscaling/v2 HorizontalPodAutoscaler`.
    Hpa,
    /// `keda.sh/v1alpha1 ScaledObject`.
    Keda,
    /// Rules of the Prometheus Adapter.
    PrometheusAdapter,
}

/// A document, and what it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// YAML.
    pub text: String,
    /// What could not be expressed, or means something else there.
    pub lost: Vec<String>,
}

/// Writes an intent in a format.
pub fn export(intent: &Intent, format: Format) -> Export {
    let mut lost = intent.lost.clone();
    let text = match format {
        Format::Hpa => hpa::write(intent, &mut lost),
        Format::Keda => keda::write(intent, &mut lost),
        Format::PrometheusAdapter => adapter::write(intent, &mut lost),
    };
    let mut lines: Vec<String> = lost.iter().map(|sentence| format!("# Not expressed: {sentence}")).collect();
    lines.push(text);
    Export { text: lines.join("\n"), lost }
}

/// A text as YAML takes it, whatever stands in it.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    let clean: String = escaped.chars().filter(|character| !character.is_control()).collect();
    format!("\"{clean}\"")
}

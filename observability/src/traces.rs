//! Distributed traces: spans from load generator to dependency, sent to a collector over OTLP/HTTP; off unless an
//! endpoint is given.
//!
//! ## What is traced
//! Whether to trace is decided where a trace begins, and everybody behind follows. By default each process begins up
//! to ten traces a second for users, so that one's own request is among them, and one for each hundredth job of the
//! synthetic demand. `OTEL_TRACES_SAMPLER` takes the place of both.
//!
//! ## What it costs
//! OpenTelemetry's API is used directly and not through `tracing`, and a request that is not sampled creates no span
//! at all: without an endpoint the question costs an atomic load, with one a look at the request's `traceparent`.
//! Spans are handed to a thread of the SDK's own, which sends them; while a collector is gone or slow they pile up to
//! a bound and are then dropped, and no request waits. Because spans never pass through `tracing`, what the exporter
//! logs cannot become spans again.

mod exporter;
pub mod names;
mod propagation;
mod sampling;
mod settings;
mod span;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};

pub use opentelemetry::KeyValue;
pub use opentelemetry::trace::{SpanBuilder, SpanKind};

use exporter::Reporting;
use propagation::{Parent, glance};
pub use sampling::Demand;
use sampling::Sampling;
use settings::Plan;
pub use settings::{DEFAULT_TRACES_PER_SECOND, TraceError, TraceSettings};
pub(crate) use span::current_trace_id;
pub use span::{Entered, Span};

/// How long a finished span waits for others before they are sent, unless `OTEL_BSP_SCHEDULE_DELAY` says otherwise:
/// whoever asks with curl wants to look at the trace at once, not after OpenTelemetry's 5 s.
const SEND_EVERY: Duration = Duration::from_secs(1);

/// Longest that the last spans may delay the end of a process. The loop's processes end in four steps, and together
/// they may take 3 s for it.
const SHUTDOWN_WITHIN: Duration = Duration::from_millis(700);

/// The tracing of this process. Like logging it belongs to the process as a whole.
static TRACING: OnceLock<Tracing> = OnceLock::new();

#[derive(Debug)]
struct Tracing {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    sampling: Sampling,
}

/// Starts tracing for this process if flags or environment name an endpoint; a second call changes nothing. To be
/// called outside of an async runtime.
///
/// # Errors
/// [`TraceError`] for an endpoint or a variable that cannot be.
pub fn start(settings: &TraceSettings) -> Result<(), TraceError> {
    let Some(plan) = settings.plan(|name| std::env::var(name).ok())? else { return Ok(()) };
    if TRACING.get().is_none() {
        let tracing = Tracing::new(&plan)?;
        tracing::info!(endpoint = plan.endpoint, service = plan.service, "traces are sent");
        // Whoever was faster has the same environment.
        let _first_wins = TRACING.set(tracing);
    }
    Ok(())
}

/// Sends what has not been sent, within 0.7 s; spans that end later are lost. Blocks: to be called when
/// the async runtime has nothing left to do.
pub fn stop() {
    if let Some(tracing) = TRACING.get()
        && let Err(error) = tracing.provider.shutdown_with_timeout(SHUTDOWN_WITHIN)
    {
        tracing::warn!(%error, "the last spans did not reach the collector");
    }
}

/// The time that stands in spans and exemplars; not to be compared with anything else.
#[expect(clippy::disallowed_methods, reason = "the traces' one look at the wall clock")]
pub fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// A description of a span, to be begun by one of the functions here or as a child of another span.
pub fn span(name: impl Into<std::borrow::Cow<'static, str>>, kind: SpanKind) -> SpanBuilder {
    SpanBuilder::from_name(name).with_kind(kind)
}

/// Begins the span of a request that came in with these headers, if it is to be traced: if whoever sent it does, or if
/// the trace begins here and sampling wants it.
pub fn begin_received(headers: &HeaderMap, describe: impl FnOnce() -> SpanBuilder) -> Option<Span> {
    let tracing = TRACING.get()?;
    let parent = if tracing.sampling.follows_parents() { glance(headers) } else { Parent::of(headers) };
    let context = match parent {
        Parent::Present(context) => context,
        Parent::Absent if tracing.sampling.begins(Demand::User) => Context::new(),
        Parent::Absent | Parent::NotSampled => return None,
    };
    tracing.build(describe(), &context)
}

/// Begins a trace, if sampling wants it for this kind of demand.
pub fn begin(demand: Demand, describe: impl FnOnce() -> SpanBuilder) -> Option<Span> {
    let tracing = TRACING.get()?;
    if tracing.sampling.begins(demand) { tracing.build(describe(), &Context::new()) } else { None }
}

impl Tracing {
    fn new(plan: &Plan) -> Result<Self, TraceError> {
        use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};

        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client(plan)?)
            .with_endpoint(&plan.endpoint)
            .with_protocol(Protocol::HttpBinary)
            .build()?;
        let mut batches = BatchConfigBuilder::default();
        if !plan.standard_delay {
            batches = batches.with_scheduled_delay(SEND_EVERY);
        }
        let processor = BatchSpanProcessor::builder(Reporting::new(exporter, &plan.endpoint))
            .with_batch_config(batches.build())
            .build();
        let mut builder =
            SdkTracerProvider::builder().with_resource(resource(plan)).with_span_processor(processor);
        if !plan.standard_sampler {
            // Who gets this far has been sampled.
            builder = builder.with_sampler(Sampler::AlwaysOn);
        }
        let provider = builder.build();
        let tracer = provider.tracer(names::SERVICE_NAMESPACE_VALUE);
        let sampling =
            if plan.standard_sampler { Sampling::Standard } else { Sampling::lab(plan.traces_per_second) };
        Ok(Self { provider, tracer, sampling })
    }

    /// The span, if the SDK's sampler wants it too.
    fn build(&self, span: SpanBuilder, parent: &Context) -> Option<Span> {
        Span::recording(self.tracer.build_with_context(span, parent), parent)
    }
}

/// Brings spans to the collector. The exporter's own would always load the system's certificates, and fail where there are
/// none, as in an image from scratch; for `http://` they are of no use.
fn client(plan: &Plan) -> Result<reqwest::blocking::Client, TraceError> {
    let builder = reqwest::blocking::Client::builder().timeout(plan.timeout);
    let is_plain = plan.endpoint.starts_with("http://");
    Ok(if is_plain { builder.tls_certs_only([]) } else { builder }.build()?)
}

/// Who this process is. What the environment says beats what the lab says.
fn resource(plan: &Plan) -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new(names::SERVICE_NAMESPACE, names::SERVICE_NAMESPACE_VALUE),
            KeyValue::new(names::SERVICE_NAME, plan.service.clone()),
            KeyValue::new(names::SERVICE_INSTANCE_ID, plan.instance.clone()),
            KeyValue::new(names::SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
        ])
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())])
        .build()
}

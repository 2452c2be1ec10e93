//! A baseline as a page with its curves; plotly's script is in it, so it needs nothing from outside.

use std::fmt::Write as _;

use loadgen_baseline::fit::Interval;
use loadgen_baseline::report::{
    context, findings, flaws, marked_table, mean_milliseconds, milliseconds, request_notes,
};
use loadgen_baseline::{Baseline, Curve, Level, Statistic};
use plotly::common::{DashType, Fill, Line, Marker, MarkerSymbol, Mode, Orientation};
use plotly::layout::{Axis, AxisType, Layout, Legend, TraceOrder};
use plotly::{Configuration, Plot, Scatter};

/// Points at which a fitted curve is drawn.
const FIT_POINTS: u32 = 60;

/// Most levels whose distribution is drawn: more lines cannot be told apart.
const MOST_DISTRIBUTIONS: usize = 12;

/// A line's colour and that of a band around it, which can be told from others on light and on dark ground.
#[derive(Clone, Copy)]
struct Tone {
    line: &'static str,
    band: &'static str,
}

const BLUE: Tone = Tone { line: "#3b82f6", band: "rgba(59,130,246,0.18)" };
const ORANGE: Tone = Tone { line: "#e08a1e", band: "rgba(224,138,30,0.18)" };
const GREEN: Tone = Tone { line: "#2da44e", band: "rgba(45,164,78,0.18)" };
const PURPLE: Tone = Tone { line: "#a371f7", band: "rgba(163,113,247,0.18)" };
const ALARM: &str = "#e5484d";
const QUIET: &str = "#8b949e";

const STYLE: &str = include_str!("style.css");

/// Behind what is drawn is the page, light or dark.
const CLEAR: &str = "rgba(0,0,0,0)";

/// The text of the page.
pub(super) fn page(baseline: &Baseline) -> String {
    let mut page = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width\"><title>Baseline</title>");
    write!(page, "<style>{STYLE}</style>{}</head><body><h1>Baseline</h1>", script()).expect(FITS);
    list(&mut page, &context(baseline));
    for (index, curve) in baseline.curves.iter().enumerate() {
        write!(page, "<h2>Replicas: {}</h2>", curve.replicas).expect(FITS);
        list(&mut page, &findings(baseline, curve));
        chart(&mut page, &format!("latency-{index}"), latency(baseline, curve));
        chart(&mut page, &format!("throughput-{index}"), throughput(curve));
        chart(&mut page, &format!("distribution-{index}"), distribution(curve));
        let rows = marked_table(
            curve,
            ["<tr><th>", "</th><th>", "</th></tr>"],
            ["<tr><td>", "</td><td>", "</td></tr>"],
        );
        write!(page, "<div class=\"wide\"><table>{rows}</table></div>").expect(FITS);
        for flaw in flaws(curve) {
            write!(page, "<p class=\"void\">{}</p>", escaped(&flaw)).expect(FITS);
        }
        for note in request_notes(baseline, curve) {
            write!(page, "<p>{}</p>", escaped(&note)).expect(FITS);
        }
    }
    page.push_str("</body></html>\n");
    page
}

const FITS: &str = "a string takes whatever is written";

fn chart(page: &mut String, id: &str, mut plot: Plot) {
    plot.set_configuration(Configuration::new().display_logo(false).responsive(true));
    write!(page, "<div class=\"chart\">{}</div>", plot.to_inline_html(Some(id))).expect(FITS);
}

/// plotly's own script; the crate also has one for formulas, which no chart here has.
fn script() -> String {
    const END: &str = "</script>";
    let all = Plot::offline_js_sources();
    all.split_inclusive(END).next().unwrap_or_default().to_owned()
}

fn list(page: &mut String, sentences: &[String]) {
    page.push_str("<ul>");
    for sentence in sentences {
        write!(page, "<li>{}</li>", escaped(sentence)).expect(FITS);
    }
    page.push_str("</ul>");
}

/// Text that may come from a command line or a file.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn latency(baseline: &Baseline, curve: &Curve) -> Plot {
    let mut plot = Plot::new();
    let levels = curve.pooled_levels();
    for (name, share, tone) in [
        ("p50", Some(0.50), BLUE),
        ("mean", None, ORANGE),
        ("p95", Some(0.95), GREEN),
        ("p99", Some(0.99), PURPLE),
    ] {
        let (rates, times): (Vec<f64>, Vec<f64>) = levels
            .iter()
            .filter_map(|level| {
                let time =
                    share.map_or_else(|| mean_milliseconds(level), |share| milliseconds(level, share))?;
                Some((level.offered_rps(), time))
            })
            .unzip();
        let trace = Scatter::new(rates, times).name(name).mode(Mode::LinesMarkers);
        plot.add_trace(trace.line(Line::new().color(tone.line)));
    }
    let slo = &baseline.settings.slo;
    if let Some(fit) = &curve.latency_fit {
        let rates: Vec<f64> = (0..=FIT_POINTS)
            .map(|point| {
                fit.from_rps + (fit.to_rps - fit.from_rps) * f64::from(point) / f64::from(FIT_POINTS)
            })
            .collect();
        band(&mut plot, "mean, fitted, and its 95 % band", ORANGE, &rates, |rate| fit.mean_seconds(rate));
        if let Some(share) = slo.statistic.quantile() {
            // A quantile takes a search at every point and draw; fewer points do.
            let few: Vec<f64> = rates.iter().copied().step_by(6).collect();
            let name = format!("{}, from the fit, and its 95 % band", slo.statistic.name());
            let tone = if slo.statistic == Statistic::P95 { GREEN } else { BLUE };
            band(&mut plot, &name, tone, &few, |rate| fit.quantile_seconds(share, rate));
        }
    }
    let (lowest, highest) = range(curve);
    let bound = slo.at_most_micros() / 1000.0;
    plot.add_trace(
        Scatter::new(vec![lowest, highest], vec![bound, bound])
            .name(format!("SLO: {slo}"))
            .mode(Mode::Lines)
            .line(Line::new().color(ALARM).dash(DashType::Dash)),
    );
    if let Some(knee) = curve.outcome.knee_rps
        && let Some(level) = levels.iter().find(|level| level.offered_rps().to_bits() == knee.to_bits())
        && let Some(mean) = mean_milliseconds(level)
    {
        plot.add_trace(mark("knee", knee, mean));
    }
    plot.set_layout(layout("Latency against rate", "requests per second, offered", "milliseconds", true));
    plot
}

fn band(plot: &mut Plot, name: &str, tone: Tone, rates: &[f64], of: impl Fn(f64) -> Option<Interval>) {
    let intervals: Vec<_> = rates
        .iter()
        .filter_map(|rate| {
            of(*rate).filter(|interval| interval.upper.is_finite()).map(|interval| (*rate, interval))
        })
        .collect();
    let rates: Vec<f64> = intervals.iter().map(|(rate, _)| *rate).collect();
    let line = |of: fn(&Interval) -> f64| -> Vec<f64> {
        intervals.iter().map(|(_, interval)| of(interval) * 1000.0).collect()
    };
    let edge = || Line::new().width(0.0).color(tone.band);
    plot.add_trace(
        Scatter::new(rates.clone(), line(|interval| interval.lower))
            .mode(Mode::Lines)
            .line(edge())
            .show_legend(false),
    );
    plot.add_trace(
        Scatter::new(rates.clone(), line(|interval| interval.upper))
            .mode(Mode::Lines)
            .line(edge())
            .fill(Fill::ToNextY)
            .fill_color(tone.band)
            .show_legend(false),
    );
    plot.add_trace(
        Scatter::new(rates, line(|interval| interval.estimate))
            .name(name)
            .mode(Mode::Lines)
            .line(Line::new().color(tone.line).dash(DashType::Dot)),
    );
}

fn throughput(curve: &Curve) -> Plot {
    let mut plot = Plot::new();
    let levels = curve.pooled_levels();
    let points = |of: &dyn Fn(&Level) -> f64| -> (Vec<f64>, Vec<f64>) {
        levels.iter().map(|level| (level.offered_rps(), of(level))).unzip()
    };
    let (lowest, highest) = range(curve);
    plot.add_trace(
        Scatter::new(vec![lowest, highest], vec![lowest, highest])
            .name("all that is offered")
            .mode(Mode::Lines)
            .line(Line::new().color(QUIET).dash(DashType::Dot)),
    );
    let (rates, served) = points(&|level| level.measurement.throughput_rps());
    let trace = Scatter::new(rates, served).name("served").mode(Mode::LinesMarkers);
    plot.add_trace(trace.line(Line::new().color(BLUE.line)));
    let (rates, lost) = points(&|level| level.error_share() * level.offered_rps());
    plot.add_trace(
        Scatter::new(rates, lost)
            .name("failed, refused or unsent")
            .mode(Mode::LinesMarkers)
            .line(Line::new().color(ALARM)),
    );
    if let Some((plateau, _)) = curve.plateau() {
        plot.add_trace(
            Scatter::new(vec![lowest, highest], vec![plateau, plateau])
                .name("plateau")
                .mode(Mode::Lines)
                .line(Line::new().color(GREEN.line).dash(DashType::Dash)),
        );
    }
    if let Some(rate) = curve.outcome.highest_within_slo_rps {
        plot.add_trace(mark("highest rate within the SLO", rate, rate));
    }
    plot.set_layout(layout(
        "Throughput against rate",
        "requests per second, offered",
        "requests per second",
        false,
    ));
    plot
}

fn distribution(curve: &Curve) -> Plot {
    let mut plot = Plot::new();
    let levels = curve.pooled_levels();
    let step = levels.len().div_ceil(MOST_DISTRIBUTIONS).max(1);
    for level in levels.iter().step_by(step) {
        let histogram = &level.measurement.from_intended_micros;
        let (mut times, mut shares) = (Vec::new(), Vec::new());
        // Every percent, and finer where it gets slow.
        for permille in (0..=1000).filter(|permille| permille % 10 == 0 || *permille > 950) {
            let share = f64::from(permille) / 1000.0;
            times.push(histogram.value_at_quantile(share) as f64 / 1000.0);
            shares.push(share);
        }
        let name = format!("{:.1}/s", level.offered_rps());
        plot.add_trace(Scatter::new(times, shares).name(name).mode(Mode::Lines));
    }
    let layout = layout("Distribution of response times", "milliseconds", "share of answers", false);
    plot.set_layout(layout.x_axis(Axis::new().title("milliseconds").type_(AxisType::Log)));
    plot
}

fn range(curve: &Curve) -> (f64, f64) {
    let rates = || curve.levels.iter().map(Level::offered_rps);
    (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max))
}

fn mark(name: &str, x: f64, y: f64) -> Box<Scatter<f64, f64>> {
    Scatter::new(vec![x], vec![y])
        .name(name)
        .mode(Mode::Markers)
        .marker(Marker::new().size(14).symbol(MarkerSymbol::Diamond).color(QUIET))
}

fn layout(title: &str, x: &str, y: &str, is_logarithmic: bool) -> Layout {
    let y = Axis::new().title(y);
    let y = if is_logarithmic { y.type_(AxisType::Log) } else { y };
    Layout::new()
        .title(title)
        .x_axis(Axis::new().title(x))
        .y_axis(y)
        .paper_background_color(CLEAR)
        .plot_background_color(CLEAR)
        // Below, where it takes no width from the chart: on a telephone there would be little left of it.
        .legend(Legend::new().trace_order(TraceOrder::Normal).orientation(Orientation::Horizontal).y(-0.35))
}

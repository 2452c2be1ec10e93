//! Lines over a common axis as SVG, readable without a network, in light and dark.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;

/// About so many marks on each axis.
const MARKS: f64 = 5.0;

/// A line of a chart.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    /// x and y; a point without y interrupts the line.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A chart.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) x_label: &'static str,
    pub(super) y_label: &'static str,
    /// At most six, in the order of the style sheet's colours; what is 0 everywhere is left out.
    pub(super) lines: Vec<Line>,
}

impl Chart {
    /// The chart as a `figure`.
    pub(super) fn svg(&self) -> String {
        let values = || self.lines.iter().flat_map(|line| &line.points);
        let x_max = values().map(|(x, _)| *x).fold(0.0, f64::max).max(1e-9);
        let y_max = values().filter_map(|(_, y)| *y).filter(|y| y.is_finite()).fold(0.0, f64::max);
        let y_step = step(y_max.max(1e-9));
        let y_max = (y_max / y_step).ceil().max(1.0) * y_step;
        let x_at = |x: f64| LEFT + x / x_max * (WIDTH - LEFT - RIGHT);
        let y_at = |y: f64| HEIGHT - BOTTOM - y / y_max * (HEIGHT - TOP - BOTTOM);

        let mut text = String::new();
        let mut write = |arguments: std::fmt::Arguments<'_>| {
            text.write_fmt(arguments).expect("a string takes whatever is written");
        };
        let title = self.title;
        write(format_args!(
            "<figure><figcaption>{title}</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{title}\">\n"
        ));
        for (value, at) in marks(y_max, y_step).map(|value| (value, y_at(value))) {
            let (end, middle) = (WIDTH - RIGHT, at + 4.0);
            write(format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>\n",
                LEFT - 6.0,
                short(value)
            ));
        }
        for (value, at) in marks(x_max, step(x_max)).map(|value| (value, x_at(value))) {
            let below = HEIGHT - BOTTOM + 16.0;
            write(format_args!(
                "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{}</text>\n",
                short(value)
            ));
        }
        let (centre, foot, middle) = (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 6.0, HEIGHT / 2.0);
        write(format_args!(
            "<text x=\"{centre}\" y=\"{foot}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(14 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
            self.x_label, self.y_label
        ));
        let drawn = |line: &&Line| line.points.iter().any(|(_, y)| y.is_some_and(|y| y > 0.0));
        let lines: Vec<&Line> = self.lines.iter().filter(drawn).collect();
        for (index, line) in lines.iter().enumerate() {
            let mut path = String::new();
            let mut pen_down = false;
            for (x, y) in &line.points {
                if let Some(y) = y.filter(|y| y.is_finite()) {
                    let verb = if pen_down { 'L' } else { 'M' };
                    write!(path, "{verb}{:.1} {:.1}", x_at(*x), y_at(y)).expect("a string takes it");
                }
                pen_down = y.is_some();
            }
            let name = line.name;
            write(format_args!("<path class=\"line c{index}\" d=\"{path}\"><title>{name}</title></path>\n"));
        }
        write(format_args!("</svg>\n<ul class=\"legend\">"));
        for (index, line) in lines.iter().enumerate() {
            let last = line
                .points
                .iter()
                .rev()
                .find_map(|(_, y)| y.filter(|y| y.is_finite()))
                .map(short)
                .unwrap_or_default();
            write(format_args!("<li class=\"c{index}\">{} <small>(last {last})</small></li>", line.name));
        }
        write(format_args!("</ul></figure>\n"));
        text
    }
}

/// The distance of two marks: 1, 2 or 5 times a power of ten.
fn step(max: f64) -> f64 {
    let raw = max / MARKS;
    let power = 10_f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= raw).unwrap_or(10.0);
    factor * power
}

fn marks(max: f64, step: f64) -> impl Iterator<Item = f64> {
    (0_u32..).map(move |index| f64::from(index) * step).take_while(move |value| *value <= max * (1.0 + 1e-9))
}

/// A number with as many digits as are read at a glance.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 | 10.0.. => 0,
        1.0.. => 1,
        0.01.. => 2,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::{Chart, Line, marks, step};

    #[test]
    fn marks_are_round_and_few() {
        for max in [0.0007, 0.3, 1.0, 9.0, 17.0, 480.0, 123_456.0] {
            let count = marks(max, step(max)).count();
            assert!((3..=6).contains(&count), "{count} marks up to {max}");
        }
    }

    #[test]
    fn a_gap_interrupts_the_line_and_a_line_of_zeros_is_left_out() {
        let chart = Chart {
            title: "t",
            x_label: "x",
            y_label: "y",
            lines: vec![
                Line {
                    name: "gap",
                    points: vec![(0.0, Some(1.0)), (1.0, None), (2.0, Some(2.0)), (3.0, Some(f64::NAN))],
                },
                Line { name: "zeros", points: vec![(0.0, Some(0.0)), (1.0, Some(0.0))] },
            ],
        };
        let svg = chart.svg();
        assert_eq!(svg.matches('M').count(), 2, "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("zeros"), "{svg}");
    }

    #[test]
    fn nothing_to_draw_is_an_empty_chart() {
        let chart = Chart { title: "t", x_label: "x", y_label: "y", lines: Vec::new() };
        assert!(!chart.svg().contains("NaN") && !chart.svg().contains("inf"));
    }
}

//! The pictures beside the report.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::Result;
use crate::bench::Pair;
use crate::report::{Row, quantile};
use crate::soak::Soak;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Readers have light pages and dark ones, and a picture does not know which it stands on: it brings its own ground.
const STYLE: &str = "<style>svg{background:#fff}text{fill:#1f2328;font-family:system-ui,sans-serif;opacity:1}\
    @media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}}</style>";
const INK: RGBColor = RGBColor(128, 136, 148);
const COLOURS: [RGBColor; 4] =
    [RGBColor(47, 129, 247), RGBColor(219, 109, 40), RGBColor(63, 160, 80), RGBColor(163, 113, 247)];
const FONT: (&str, i32) = ("sans-serif", 17);

const WIDTH: u32 = 960;
/// Of a row's name, and of a row.
const NAME: i32 = 440;
const LINE: i32 = 22;
/// What is further from its limit is cut off here: 16 times as much or as little.
const FURTHEST: f64 = 4.0;
const MARKS: [(&str, f64); 7] =
    [("⅛", -3.0), ("¼", -2.0), ("½", -1.0), ("limit", 0.0), ("2 ×", 1.0), ("4 ×", 2.0), ("8 ×", 3.0)];
const QUANTILES: [(&str, f64); 6] =
    [("50 %", 0.5), ("75 %", 0.75), ("90 %", 0.9), ("95 %", 0.95), ("99 %", 0.99), ("99.9 %", 0.999)];

fn draw(height: u32, paint: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        paint(&area)?;
        area.present()?;
    }
    let head = svg.find("<svg").and_then(|tag| Some(tag + svg[tag..].find('>')? + 1)).ok_or("no picture was drawn")?;
    svg.insert_str(head, STYLE);
    Ok(svg)
}

/// Each figure as a part of its limit.
pub fn shares(rows: &[Row]) -> Result<String> {
    let rows: Vec<_> = rows.iter().filter_map(|row| Some((row, row.share()?))).collect();
    let height = i32::try_from(rows.len() + 3)? * LINE;
    draw(u32::try_from(height)?, |area| {
        let right = i32::try_from(WIDTH)? - 60;
        let x = |doublings: f64| NAME + pixels(f64::midpoint(doublings / FURTHEST, 1.0) * f64::from(right - NAME));
        area.draw(&Text::new("Figures beside their limits, shorter is better", (12, 12), FONT))?;
        for (name, mark) in MARKS {
            let ink = if name == "limit" { COLOURS[1].stroke_width(2) } else { INK.stroke_width(1) };
            area.draw(&PathElement::new(vec![(x(mark), LINE * 2 - 2), (x(mark), height - LINE / 2)], ink))?;
            area.draw(&Text::new(name, (x(mark) - 10, LINE + 2), FONT))?;
        }
        for (row, number) in rows.iter().zip(2_i32..) {
            let ((row, share), y) = (row, number * LINE);
            let colour = if *share > 1.0 { COLOURS[1] } else { COLOURS[0] };
            area.draw(&Text::new(row.scenario.clone(), (12, y + 3), FONT))?;
            let end = x(share.log2().clamp(-FURTHEST, FURTHEST));
            area.draw(&Rectangle::new([(NAME, y + 3), (end, y + LINE - 5)], colour.filled()))?;
            area.draw(&Text::new(row.figure.clone(), (end + 6, y + 3), FONT))?;
        }
        Ok(())
    })
}

/// How long messages are on their way, from the quick ones to the slow ones.
pub fn latency(pairs: &[Pair]) -> Result<String> {
    let mut lines = Vec::new();
    for pair in pairs.iter().filter(|pair| pair.visitors == 1_000) {
        for (name, side) in [("Parley", &pair.parley), ("relay", &pair.relay)] {
            let Some(sample) = side.last() else { continue };
            let points = QUANTILES.iter().zip(0_u32..);
            let points = points.map(|((_, share), x)| (f64::from(x), quantile(sample, *share) / 1e3));
            lines.push((format!("{name}, {}", pair.store), points.collect()));
        }
    }
    let label = |x: f64| {
        let near = QUANTILES.iter().zip(0_u32..).find(|(_, number)| (f64::from(*number) - x).abs() < 0.01);
        near.map_or_else(String::new, |((name, _), _)| (*name).to_owned())
    };
    chart("Visitor to admin, 1,000 visitors: so many arrive within …", "ms", 5.0, &label, lines)
}

/// Memory while visitors come and go.
pub fn soak(soak: &Soak) -> Result<String> {
    let mib = |kib: u64| f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0;
    let points = soak.memory.iter().map(|(seconds, kib)| (*seconds, mib(*kib))).collect();
    let title = format!("Memory while {} visitors come and go", soak.visitors);
    let label = |x: f64| format!("{x:.0} s");
    chart(&title, "MiB", soak.length.as_secs_f64(), &label, vec![("PSS of the gateway".into(), points)])
}

fn chart(
    title: &str,
    unit: &str,
    end: f64,
    label: &dyn Fn(f64) -> String,
    lines: Vec<(String, Vec<(f64, f64)>)>,
) -> Result<String> {
    let top = lines.iter().flat_map(|(_, points)| points).map(|(_, y)| *y).fold(0.0, f64::max) * 1.1;
    draw(420, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(16)
            .margin_right(40)
            .caption(title, ("sans-serif", 21))
            .x_label_area_size(36)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..end, 0.0..top.max(0.1))?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(INK.mix(0.4))
            .light_line_style(TRANSPARENT)
            .label_style(FONT)
            .x_labels(6)
            .x_label_formatter(&|x| label(*x))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .y_desc(unit)
            .draw()?;
        for ((name, points), colour) in lines.into_iter().zip(COLOURS) {
            let pen = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points, pen))?
                .label(name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 20, y)], pen));
        }
        let place = SeriesLabelPosition::UpperLeft;
        chart.configure_series_labels().position(place).label_font(FONT).border_style(INK).draw()?;
        Ok(())
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a place within a picture is a small number")]
fn pixels(place: f64) -> i32 {
    place.round() as i32
}

//! The report for people: one page that needs nothing from anywhere else.

use askama::Template;
use jiff::Timestamp;
use proto_lab::record::{PackPurpose, Verdict};

use super::document::{DmctReport, Figure, Figures, ReportStatus};
use super::make::Places;
use crate::gate::{DmctResult, NeededFor, RecordRef};

/// The style that the pages share, as it stands between `<style>` and `</style>`.
pub const STYLE: &str = include_str!("../../templates/style.css");

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'a> {
    report: &'a DmctReport,
    places: &'a Places,
    style: &'static str,
}

/// The report as one HTML page: for screen and print, in light and dark, with no script and no outside host.
///
/// # Errors
/// What the template says; a report made by [`make`](super::make) has nothing it could refuse.
pub fn report_html(report: &DmctReport, places: &Places) -> Result<String, askama::Error> {
    ReportPage { report, places, style: STYLE }.render()
}

/// A verdict's class in the style sheet.
pub(super) const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotRun => "none",
        Verdict::Pass => "good",
        Verdict::Inconclusive | Verdict::Aborted => "unsure",
        Verdict::Fail | Verdict::Error => "bad",
    }
}

/// A time as people of the lab write it, UTC to the second.
pub(super) fn moment(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

impl ReportPage<'_> {
    fn href(&self, record: &RecordRef) -> String {
        self.places.href(record)
    }

    fn is_draft(&self) -> bool {
        self.report.status == ReportStatus::Draft
    }

    fn result(&self) -> (&'static str, &'static str) {
        match self.report.outcome.result {
            DmctResult::Passed => ("Passed", "good"),
            DmctResult::Failed => ("Failed", "bad"),
            DmctResult::Undecided => ("Not decided", "unsure"),
        }
    }

    /// A draft is never shown in the colour of a pass.
    fn banner(&self) -> &'static str {
        match (self.is_draft(), self.result().1) {
            (true, "good") => "unsure",
            (_, class) => class,
        }
    }

    fn class(&self, verdict: &Verdict) -> &'static str {
        class(*verdict)
    }

    fn moment(&self, at: &Timestamp) -> String {
        moment(at)
    }

    fn purpose(&self, purpose: &PackPurpose) -> &'static str {
        match purpose {
            PackPurpose::Migration => "DMCT Migration Testing",
            PackPurpose::ServiceReferenceVariant => "DMCT Service Reference Variant Testing",
            PackPurpose::Other => "Other tests",
        }
    }

    fn needed(&self, needed_for: &NeededFor) -> &'static str {
        match needed_for {
            NeededFor::Report => "to decide, and to issue the report",
            NeededFor::Issue => "to issue the report",
            NeededFor::Pass => "to pass",
        }
    }

    /// The cells of a row of the heatmap: what is counted, the class that colours it, the number, where it leads.
    fn cells<'f>(&self, figures: &'f Figures) -> Vec<(&'static str, &'f Figure)> {
        let coloured = |figure: &'f Figure, class| (if figure.value > 0 { class } else { "" }, figure);
        vec![
            coloured(&figures.planned, ""),
            coloured(&figures.run, ""),
            coloured(&figures.passed, "good"),
            coloured(&figures.failed, "bad"),
            coloured(&figures.undecided, "unsure"),
            coloured(&figures.not_run, "none"),
        ]
    }

    /// The beginning of the anchors of a pack's figures.
    fn anchor(&self, place: &usize) -> String {
        format!("pack-{place}")
    }

    /// The figures of a table, each with its name and an anchor unique on the page.
    fn rows<'f>(&self, prefix: &str, figures: &'f Figures) -> Vec<(&'static str, String, &'f Figure)> {
        let anchor = |name: &str| format!("{prefix}-{name}");
        vec![
            ("Planned", anchor("planned"), &figures.planned),
            ("Run", anchor("run"), &figures.run),
            ("Passed", anchor("passed"), &figures.passed),
            ("of these on a retry", anchor("retry"), &figures.passed_on_retry),
            ("Failed", anchor("failed"), &figures.failed),
            ("Undecided", anchor("undecided"), &figures.undecided),
            ("Not run", anchor("not-run"), &figures.not_run),
        ]
    }
}

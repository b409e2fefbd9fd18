//! Progress on the screen: the lines of the watch room, live on a terminal, plain in a pipe, JSON when asked.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use proto_lab::record::Record;

use super::Failure;
use super::say::{complain, say, say_text};
use crate::evidence::RunFolder;
use crate::watch::{Follow, LineKind, Progress, ProgressLine};

/// How often a run that is being written is looked at. A step is on the screen well within a tenth of a second.
const POLL: Duration = Duration::from_millis(40);

/// Shows a run from its first record to its last.
pub(super) struct Screen {
    progress: Progress,
    bar: ProgressBar,
    json: bool,
    /// On a terminal a script's steps are shown in the bar while it runs, and as lines only where they did not pass.
    live: bool,
}

impl Screen {
    /// A screen for standard output, which may be a pipe.
    pub(super) fn new(json: bool) -> Self {
        let live = !json && std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        Self { progress: Progress::new(), bar, json, live }
    }

    /// Follows a run until its last record, or until `over` says that nobody writes any more and nothing is left to read.
    pub(super) async fn follow(mut self, folder: RunFolder, over: impl Fn() -> bool) -> Result<(), Failure> {
        each_record(folder, over, |record| self.show(record)).await?;
        self.finish();
        Ok(())
    }

    /// Takes the bar away: there is nothing more to show.
    pub(super) fn finish(&mut self) {
        self.bar.finish_and_clear();
    }

    /// Says something that is no record of the run.
    pub(super) fn aside(&self, words: &str) {
        self.bar.suspend(|| complain!("{words}\n"));
    }

    /// Shows what a record says.
    pub(super) fn show(&mut self, record: &Record) -> Result<(), Failure> {
        let lines = self.progress.apply(record);
        if self.json {
            let text = record.to_line().map_err(Failure::lab)?;
            say_text!("{text}");
            return Ok(());
        }
        for line in lines.iter().filter(|line| self.worth_a_line(line)) {
            self.bar.suspend(|| say!("{}", words(line)));
        }
        let (done, planned) = self.progress.done();
        self.bar.set_length(planned as u64);
        self.bar.set_position(done as u64);
        let now = self.progress.step().or(self.progress.script()).unwrap_or_default();
        self.bar.set_message(now.to_owned());
        Ok(())
    }

    /// In a pipe a script is one line when it passed; its beginning and its passed steps say nothing more.
    fn worth_a_line(&self, line: &ProgressLine) -> bool {
        match line.kind {
            LineKind::Script => line.verdict.is_some(),
            LineKind::Step => {
                line.verdict.is_some_and(|v| v != proto_lab::record::Verdict::Pass) || !self.live
            }
            LineKind::Run | LineKind::Rig | LineKind::Expectation | LineKind::Event => true,
        }
    }
}

/// One line: verdict, then words, indented by what they are about.
fn words(line: &ProgressLine) -> String {
    let verdict = line.verdict.map(|v| v.words()).unwrap_or_default();
    let indent = match line.kind {
        LineKind::Run => "",
        LineKind::Rig | LineKind::Script | LineKind::Event => "  ",
        LineKind::Step => "    ",
        LineKind::Expectation => "      ",
    };
    format!("{verdict:>12}  {indent}{}", line.text).trim_end().to_owned()
}

/// Shows every record of a run as it arrives, until its last, or until `over` says that nobody writes any more and nothing is
/// left to read.
pub(super) async fn each_record(
    folder: RunFolder,
    over: impl Fn() -> bool,
    mut show: impl FnMut(&Record) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut follow = Follow::open(folder).map_err(Failure::lab)?;
    loop {
        let ended = over();
        let records = follow.poll().map_err(Failure::lab)?;
        records.iter().try_for_each(&mut show)?;
        if follow.is_finished() || (ended && records.is_empty()) {
            return Ok(());
        }
        if records.is_empty() {
            tokio::time::sleep(POLL).await;
        }
    }
}

//! A batch on the screen: what its records say of each installation that ended, live on a terminal, as lines in a pipe.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use proto_lab::record::{Body, MigrationClass, MigrationEvent, Record};

use super::super::Failure;
use super::super::say::{say, say_text};
use super::super::screen::each_record;
use crate::evidence::RunFolder;

/// What the records have said so far. Pure, and no larger for a thousand installations than for one.
#[derive(Debug, Default)]
struct Progress {
    installations: usize,
    counts: BTreeMap<MigrationClass, usize>,
    began: Option<Timestamp>,
}

impl Progress {
    /// What there is to tell of a record.
    fn apply(&mut self, record: &Record) -> Option<String> {
        match &record.body {
            Body::RunStarted(started) => {
                self.began = Some(record.at);
                Some(format!("{:>12}  run {}", "", started.run))
            }
            Body::ScriptStarted(started) => Some(format!("{:>12}  {}", "", started.title)),
            Body::Migration(event) => self.moved(event),
            Body::Note(note) => Some(format!("{:>12}  {}: {}", "", note.who, note.what)),
            Body::ScriptFinished(finished) => {
                let reason = finished.reason.as_deref().map(|r| format!("{r}; ")).unwrap_or_default();
                let seconds = record.at.duration_since(self.began.unwrap_or(record.at)).as_secs_f64();
                Some(format!(
                    "{:>12}  {reason}{}, in {seconds:.1} s",
                    finished.verdict.words(),
                    self.counted()
                ))
            }
            _ => None,
        }
    }

    fn moved(&mut self, event: &MigrationEvent) -> Option<String> {
        let class = event.class?;
        *self.counts.entry(class).or_default() += 1;
        let code = event.code.as_deref().map(|code| format!("{code}: ")).unwrap_or_default();
        let (id, detail) = (&event.installation, &event.detail);
        Some(format!("{:>12}  {id} {code}{detail}", class.to_string()))
    }

    /// Attempts by how they ended.
    fn counted(&self) -> String {
        let words: Vec<String> =
            self.counts.iter().map(|(class, count)| format!("{count} {class}")).collect();
        if words.is_empty() { "no migration ended".to_owned() } else { words.join(", ") }
    }

    /// The most installations that have ended an attempt of any one class.
    fn done(&self) -> usize {
        let taken_back = self.counts.get(&MigrationClass::Migrated).copied().unwrap_or_default();
        let others: usize = self.counts.values().sum::<usize>().saturating_sub(taken_back);
        taken_back.max(others).min(self.installations)
    }
}

/// A batch on the screen.
pub(super) struct Shown {
    progress: Progress,
    bar: ProgressBar,
    json: bool,
}

impl Shown {
    /// For standard output, which may be a pipe.
    pub(super) fn new(installations: usize, json: bool) -> Self {
        let live = !json && std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(installations as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {eta} {wide_msg}") {
            bar.set_style(style);
        }
        Self { progress: Progress { installations, ..Progress::default() }, bar, json }
    }

    /// Follows a batch until its last record, or until `over` says that nobody writes any more and nothing is left to read.
    pub(super) async fn follow(mut self, folder: RunFolder, over: impl Fn() -> bool) -> Result<(), Failure> {
        each_record(folder, over, |record| self.show(record)).await?;
        self.bar.finish_and_clear();
        Ok(())
    }

    fn show(&mut self, record: &Record) -> Result<(), Failure> {
        let line = self.progress.apply(record);
        if self.json {
            let text = record.to_line().map_err(Failure::lab)?;
            say_text!("{text}");
            return Ok(());
        }
        if let Some(line) = line {
            self.bar.suspend(|| say!("{}", line.trim_end()));
            self.bar.set_position(self.progress.done() as u64);
            self.bar.set_message(self.progress.counted());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proto_lab::record::{Note, Sequence};

    use super::*;

    fn record(n: u64, body: Body) -> Record {
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        Record { sequence: Sequence(n), at, body }
    }

    fn moved(stage: &str, class: Option<MigrationClass>, code: Option<&str>) -> Body {
        Body::Migration(MigrationEvent {
            installation: "00-DB-12-34-56-78-90-01".to_owned(),
            stage: stage.to_owned(),
            detail: "in words".to_owned(),
            code: code.map(str::to_owned),
            class,
            attempt: Some(1),
        })
    }

    #[test]
    fn a_batch_is_told_installation_by_installation_and_counted() {
        let mut progress = Progress { installations: 2, ..Progress::default() };
        let bodies = [
            moved("validated", None, None),
            moved("migrated", Some(MigrationClass::Migrated), None),
            moved("rolled-back", Some(MigrationClass::RolledBack), Some("LAB-ASKED-FOR")),
            moved("refused", Some(MigrationClass::Refused), Some("MA110")),
            Body::Note(Note { who: "migration control".to_owned(), what: "a remark".to_owned() }),
        ];
        let told: Vec<String> = bodies
            .into_iter()
            .enumerate()
            .filter_map(|(n, body)| progress.apply(&record(n as u64, body)))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
            migrated  00-DB-12-34-56-78-90-01 in words
         rolled back  00-DB-12-34-56-78-90-01 LAB-ASKED-FOR: in words
             refused  00-DB-12-34-56-78-90-01 MA110: in words
                      migration control: a remark
        ");
        assert_eq!(progress.counted(), "1 migrated, 1 refused, 1 rolled back");
        assert_eq!(progress.done(), 2);
    }
}

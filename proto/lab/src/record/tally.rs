//! The one fold that counts: from records to what each planned script came to.
//!
//! The recorder closes a run with it, verification recomputes it, and watching, gating and reporting read it, so they
//! cannot differ.

use std::collections::BTreeMap;

use super::{Body, Case, Counts, NotRunKind, Record, RunStarted, Sequence, Verdict};

/// What one planned script came to so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// Which script.
    pub case: Case,
    /// Verdict of the latest attempt; not run before the first, inconclusive while one is open.
    pub verdict: Verdict,
    /// Why, when it is not a pass.
    pub reason: Option<String>,
    /// What kind of reason a script was not run for.
    pub not_run: Option<NotRunKind>,
    /// Attempts begun: the record that began each, the one that ended it, and its verdict.
    pub attempts: Vec<Attempt>,
    /// The record that gave the verdict; absent when nothing was ever recorded about the script.
    pub decided: Option<Sequence>,
}

/// One attempt of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The record that began it.
    pub started: Sequence,
    /// The record that ended it.
    pub finished: Option<Sequence>,
    /// Its verdict; inconclusive when it never ended.
    pub verdict: Verdict,
}

impl CaseResult {
    fn planned(case: Case) -> Self {
        Self {
            case,
            verdict: Verdict::NotRun,
            reason: None,
            not_run: None,
            attempts: Vec::new(),
            decided: None,
        }
    }

    /// Whether it passed only after an attempt that did not.
    pub fn passed_on_retry(&self) -> bool {
        // The latest attempt is the pass itself.
        self.verdict == Verdict::Pass && self.attempts.iter().any(|a| a.verdict != Verdict::Pass)
    }
}

/// The count of a run so far. Feed it every record in order.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// In the order of the plan; unplanned scripts after it, in the order they began.
    cases: Vec<CaseResult>,
    /// Place of each case in `cases`.
    places: BTreeMap<Case, usize>,
    /// The script now open, by its place, and the record that began it.
    open: Option<(usize, Sequence)>,
}

impl Tally {
    /// A tally with nothing counted.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tally of these records.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut tally = Self::new();
        for record in records {
            tally.apply(record.sequence, &record.body);
        }
        tally
    }

    /// Takes in the next record.
    pub fn apply(&mut self, sequence: Sequence, body: &Body) {
        match body {
            Body::RunStarted(started) => self.plan(started),
            Body::ScriptStarted(started) => self.start(sequence, &started.case),
            Body::ScriptFinished(finished) if self.is_open(finished.started) => {
                self.close(sequence, finished.verdict, finished.reason.clone());
            }
            Body::ScriptNotRun(not_run) => {
                let place = self.place(&not_run.case);
                let result = &mut self.cases[place];
                if result.attempts.is_empty() {
                    result.not_run = Some(not_run.kind);
                    result.reason = Some(not_run.reason.clone());
                    result.decided = Some(sequence);
                }
            }
            _ => {}
        }
    }

    fn is_open(&self, started: Sequence) -> bool {
        self.open.is_some_and(|(_, open)| open == started)
    }

    fn plan(&mut self, started: &RunStarted) {
        for case in &started.plan {
            self.place(case);
        }
    }

    fn place(&mut self, case: &Case) -> usize {
        if let Some(place) = self.places.get(case) {
            return *place;
        }
        let place = self.cases.len();
        self.cases.push(CaseResult::planned(case.clone()));
        self.places.insert(case.clone(), place);
        place
    }

    fn start(&mut self, sequence: Sequence, case: &Case) {
        let place = self.place(case);
        self.open = Some((place, sequence));
        let result = &mut self.cases[place];
        result.attempts.push(Attempt { started: sequence, finished: None, verdict: Verdict::Inconclusive });
        result.verdict = Verdict::Inconclusive;
        result.reason = Some("begun and not ended".to_owned());
        result.not_run = None;
        result.decided = Some(sequence);
    }

    fn close(&mut self, sequence: Sequence, verdict: Verdict, reason: Option<String>) {
        let Some((place, _)) = self.open.take() else { return };
        let result = &mut self.cases[place];
        if let Some(attempt) = result.attempts.last_mut() {
            attempt.finished = Some(sequence);
            attempt.verdict = verdict;
        }
        result.verdict = verdict;
        result.reason = reason;
        result.decided = Some(sequence);
    }

    /// Every planned script and what it came to, in the order of the plan.
    pub fn cases(&self) -> &[CaseResult] {
        &self.cases
    }

    /// The script now open, and the record that began it.
    pub fn open(&self) -> Option<(&Case, Sequence)> {
        self.open.map(|(place, sequence)| (&self.cases[place].case, sequence))
    }

    /// Scripts by verdict.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for result in &self.cases {
            counts.add(result.verdict);
            counts.pass_on_retry += u64::from(result.passed_on_retry());
        }
        counts
    }
}

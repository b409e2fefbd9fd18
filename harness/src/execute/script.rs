//! One attempt of one script.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use proto_lab::record::{
    Body, Case, FailedExpectation, Intent, Observation, Part, ScriptFinished, ScriptStarted, Sequence,
    StepVerdict, Verdict,
};
use scenarios::{Bindings, Facts, Row, Script, Step, evaluate};

use super::{Bench, Ledger, LedgerError, Seen, Steering, Trouble};

/// How much longer than its own deadline a step may take before the executor gives it up: the bench's own deadline, which
/// says more, should strike first.
const GRACE: Duration = Duration::from_secs(5);

/// How long all of a clean-up may take once a person has asked to stop.
const CLEAN_UP_LIMIT: Duration = Duration::from_secs(30);

/// At most so many characters of one value go into a record; the blobs hold everything.
const VALUE_IN_RECORD: usize = 400;

/// At most so many values of one observation go into its record; the blobs hold everything.
const VALUES_IN_RECORD: usize = 40;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its verdict.
    pub verdict: Verdict,
    /// Why, when it is not a pass.
    pub reason: Option<String>,
}

impl Ended {
    const fn pass() -> Self {
        Self { verdict: Verdict::Pass, reason: None }
    }

    /// The worse of two; of two equally bad, the first, which is the cause.
    fn and(self, other: Self) -> Self {
        if other.verdict > self.verdict { other } else { self }
    }
}

/// Runs scripts on a bench.
#[derive(Debug)]
pub struct Executor<'a, B, L> {
    /// The world.
    pub bench: &'a mut B,
    /// The records.
    pub ledger: &'a mut L,
    /// What people want of the run.
    pub steering: &'a Steering,
    /// What a script may refer to by name: the rig's devices, the lab's users.
    pub facts: Arc<Facts>,
}

impl<B: Bench, L: Ledger> Executor<'_, B, L> {
    /// Runs one attempt of a script, with one row of its data table bound. Gives how it ended, and the record that says so.
    ///
    /// # Errors
    /// [`LedgerError`] only: everything else is a verdict.
    pub async fn run(
        &mut self,
        script: &Script,
        row: Option<&Row>,
        case: Case,
        attempt: u32,
    ) -> Result<(Ended, Sequence), LedgerError> {
        let mut bindings = script.bindings(row, Arc::clone(&self.facts));
        self.ledger.keep(script.source.as_bytes())?;
        let started = self.ledger.append(Body::ScriptStarted(Box::new(ScriptStarted {
            case,
            attempt,
            title: script.title.clone(),
            digest: script.digest,
            covers: script.covers.clone(),
            group: script.group.clone(),
        })))?;
        self.bench.begin().await;
        let ended = self.parts(script, &mut bindings).await?;
        let Ended { verdict, reason } = ended.clone();
        let record = self.ledger.append(Body::ScriptFinished(ScriptFinished { started, verdict, reason }))?;
        self.ledger.seal()?;
        Ok((ended, record))
    }

    async fn parts(&mut self, script: &Script, bindings: &mut Bindings) -> Result<Ended, LedgerError> {
        let mut ended = self.part(Part::SetUp, &script.set_up, bindings).await?;
        if ended.verdict == Verdict::Pass {
            ended = self.part(Part::Test, &script.steps, bindings).await?;
        } else if ended.verdict == Verdict::Fail {
            let reason = ended.reason.map(|r| format!("set-up did not pass, so nothing was tested: {r}"));
            ended = Ended { verdict: Verdict::Inconclusive, reason };
        }
        let cleaned = self.clean_up(&script.clean_up, bindings).await?;
        Ok(ended.and(cleaned))
    }

    /// Runs steps until one does not pass.
    async fn part(
        &mut self,
        part: Part,
        steps: &[Step],
        bindings: &mut Bindings,
    ) -> Result<Ended, LedgerError> {
        for (step, number) in steps.iter().zip(1..) {
            self.steering.boundary(self.ledger).await?;
            if self.steering.stop().asked() {
                let reason = format!("{} before the next step", self.steering.stopped_words());
                return Ok(Ended { verdict: Verdict::Aborted, reason: Some(reason) });
            }
            let ended = self.step(part, number, step, bindings, Duration::MAX).await?;
            if ended.verdict != Verdict::Pass {
                return Ok(ended);
            }
        }
        Ok(Ended::pass())
    }

    /// Runs every clean-up step, whatever the one before came to; a failed one is an error of the lab's, because the next
    /// script would begin on a rig that is not as it should be.
    async fn clean_up(&mut self, steps: &[Step], bindings: &mut Bindings) -> Result<Ended, LedgerError> {
        self.steering.record_abort(self.ledger)?;
        let never = Steering::default();
        let facts = Arc::clone(&self.facts);
        let mut quiet =
            Executor { bench: &mut *self.bench, ledger: &mut *self.ledger, steering: &never, facts };
        let stop = self.steering.stop();
        let left = |begun: Instant| match stop.asked() {
            true => CLEAN_UP_LIMIT.saturating_sub(begun.elapsed()),
            false => Duration::MAX,
        };
        let begun = Instant::now();
        let mut ended = Ended::pass();
        for (step, number) in steps.iter().zip(1..) {
            let left = left(begun);
            if left.is_zero() {
                let reason = format!("clean-up took longer than {CLEAN_UP_LIMIT:?} after the wish to stop");
                return Ok(ended.and(Ended { verdict: Verdict::Error, reason: Some(reason) }));
            }
            let one = quiet.step(Part::CleanUp, number, step, bindings, left).await?;
            if one.verdict != Verdict::Pass {
                let reason =
                    Some(format!("clean-up step {number} did not pass: {}", one.reason.unwrap_or_default()));
                ended = ended.and(Ended { verdict: Verdict::Error, reason });
            }
        }
        Ok(ended)
    }

    async fn step(
        &mut self,
        part: Part,
        number: u32,
        step: &Step,
        bindings: &mut Bindings,
        longest: Duration,
    ) -> Result<Ended, LedgerError> {
        let intent = Intent { part, step: number, action: step.words.clone(), stimulus: None };
        let intent = self.ledger.append(Body::Intent(intent))?;
        if step.is_hazardous() {
            self.ledger.sync()?;
        }
        bindings.set_now(self.bench.now());
        match self.attempt(step, bindings, intent, longest).await {
            Ok(seen) => self.judge(step, bindings, intent, seen),
            Err(trouble) => self.conclude(intent, trouble.verdict, Some(trouble.reason), Vec::new()),
        }
    }

    /// Does it, unless a person stops the run or no deadline of the bench's own strikes.
    async fn attempt(
        &mut self,
        step: &Step,
        bindings: &Bindings,
        intent: Sequence,
        longest: Duration,
    ) -> Result<Seen, Trouble> {
        let limit = longest.min(step.within() + GRACE);
        tokio::select! {
            biased;
            done = tokio::time::timeout(limit, self.bench.act(&step.action, bindings, intent, step.within())) => done.unwrap_or_else(|_| {
                Err(Trouble::error(format!("nothing came back for {limit:?}, and no deadline on the way said why")))
            }),
            () = self.steering.stop().wait() => Err(Trouble {
                verdict: Verdict::Aborted,
                reason: format!("{} while the step was under way", self.steering.stopped_words()),
            }),
        }
    }

    fn judge(
        &mut self,
        step: &Step,
        bindings: &mut Bindings,
        intent: Sequence,
        seen: Seen,
    ) -> Result<Ended, LedgerError> {
        let failed: Vec<FailedExpectation> = step
            .expect
            .iter()
            .filter_map(|e| evaluate(e, &seen.values, bindings).err())
            .map(into_record)
            .collect();
        let bound = step.bind(&seen.values, bindings);
        let values = in_record(&seen);
        let Seen { from, blobs, packets, .. } = seen;
        self.ledger.append(Body::Observed(Observation { intent, from, values, blobs, packets }))?;
        match (failed.first(), bound) {
            (Some(first), _) => {
                let reason = format!("{}: expected {}, found {}", first.path, first.expected, first.found);
                self.conclude(intent, Verdict::Fail, Some(reason), failed)
            }
            (None, Err(missing)) => self.conclude(intent, Verdict::Fail, Some(missing.to_string()), failed),
            (None, Ok(())) => self.conclude(intent, Verdict::Pass, None, failed),
        }
    }

    fn conclude(
        &mut self,
        intent: Sequence,
        verdict: Verdict,
        reason: Option<String>,
        failed: Vec<FailedExpectation>,
    ) -> Result<Ended, LedgerError> {
        self.ledger.append(Body::Step(StepVerdict { intent, verdict, reason: reason.clone(), failed }))?;
        Ok(Ended { verdict, reason })
    }
}

fn into_record(mismatch: scenarios::Mismatch) -> FailedExpectation {
    FailedExpectation { path: mismatch.path, expected: cut(mismatch.expected), found: cut(mismatch.found) }
}

fn in_record(seen: &Seen) -> BTreeMap<String, String> {
    seen.values
        .iter()
        .take(VALUES_IN_RECORD)
        .map(|(path, value)| (path.to_string(), cut(value.to_string())))
        .collect()
}

/// The beginning of a text that is longer than a record should carry.
fn cut(text: String) -> String {
    match text.char_indices().nth(VALUE_IN_RECORD) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

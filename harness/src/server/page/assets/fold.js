// What a run's records say, folded one by one; the same records give the same state, live or years later.

/** Verdicts, the worst last. */
export const VERDICTS = ["not-run", "pass", "inconclusive", "fail", "aborted", "error"];

/** What people do to a run, as it is told of them. */
const DEEDS = { pause: "paused the run", resume: "resumed the run", abort: "aborted the run", rerun: "had a script run again" };

/** The name of a planned case, as the harness prints it. */
export function caseName({ pack, script, row, device }) {
  return `${pack}/${script}${row ? `[${row}]` : ""}${device ? `@${device}` : ""}`;
}

export class Run {
  constructor() {
    this.started = null;
    this.began = null;
    this.finished = null;
    this.cases = new Map();
    /** Attempts of scripts, in order. */
    this.attempts = [];
    this.current = null;
    this.alerts = [];
    this.remarks = [];
    this.safeState = null;
    /** Who paused it and when, while it waits. */
    this.paused = null;
    this.last = null;
    /** What changed since it was last shown. */
    this.dirty = { cases: new Set(), steps: new Set(), said: [] };
  }

  /** Takes in the next record. */
  apply(record) {
    this.last = record;
    const [kind] = Object.keys(record).filter((key) => key !== "n" && key !== "at");
    this[`on-${kind}`]?.(record[kind], record);
  }

  /** Cases by their verdict; a case that has none yet is not counted. */
  counts() {
    const counts = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0]));
    for (const { verdict } of this.cases.values()) if (verdict) counts[verdict] += 1;
    return counts;
  }

  decided() {
    let decided = 0;
    for (const { verdict } of this.cases.values()) decided += verdict ? 1 : 0;
    return decided;
  }

  "on-run-started"(started, record) {
    this.started = started;
    this.began = record.at;
    for (const planned of started.plan) this.#case(planned);
  }

  "on-script-started"(started, record) {
    const entry = this.#case(started.case);
    const attempt = {
      number: record.n, at: record.at, case: entry, title: started.title, digest: started.digest, attempt: started.attempt,
      covers: started.covers ?? [], group: started.group, steps: [], verdict: null, reason: null,
    };
    entry.title = started.title;
    entry.attempts.push(attempt);
    entry.verdict = null;
    this.attempts.push(attempt);
    this.current = attempt;
    this.dirty.cases.add(entry);
    this.#say(`Script ${started.title} begins`);
  }

  "on-intent"(intent, record) {
    this.paused = null;
    if (!this.current) return;
    const step = {
      number: record.n, at: record.at, part: intent.part ?? "test", step: intent.step, action: intent.action,
      stimulus: intent.stimulus, messages: [], observed: [], alerts: [], verdict: null, reason: null, failed: [],
    };
    this.current.steps.push(step);
    this.dirty.steps.add(step);
  }

  "on-message"(message, record) {
    this.#step(message.intent)?.messages.push({ ...message, number: record.n, at: record.at });
  }

  "on-observed"(observed, record) {
    this.#step(observed.intent)?.observed.push({ ...observed, number: record.n, at: record.at });
  }

  "on-alert"(alert, record) {
    const seen = { ...alert, number: record.n, at: record.at, expected: alert.matched !== "unexpected" };
    this.alerts.push(seen);
    if (seen.expected) this.#step(alert.matched.step)?.alerts.push(seen);
    else this.#say(`Unexpected alert ${alert.code} of ${alert.device}`);
  }

  "on-step"(verdict) {
    const step = this.#step(verdict.intent);
    if (!step) return;
    Object.assign(step, { verdict: verdict.verdict, reason: verdict.reason ?? null, failed: verdict.failed ?? [] });
    this.#say(`Step ${step.step}: ${words(verdict.verdict)}`);
  }

  "on-script-finished"(finished, record) {
    const attempt = this.attempts.findLast(({ number }) => number === finished.started);
    if (!attempt) return;
    Object.assign(attempt, { verdict: finished.verdict, reason: finished.reason ?? null, ended: record.at });
    attempt.case.verdict = finished.verdict;
    attempt.case.reason = finished.reason ?? null;
    if (this.current === attempt) this.current = null;
    this.dirty.cases.add(attempt.case);
    this.#say(`Script ${attempt.title}: ${words(finished.verdict)}`);
  }

  "on-script-not-run"(notRun) {
    const entry = this.#case(notRun.case);
    entry.verdict = "not-run";
    entry.reason = notRun.reason;
    this.dirty.cases.add(entry);
  }

  "on-safe-state"(state, record) {
    this.safeState = { ...state, at: record.at };
    if (!state.reached) this.#say(`The rig is not in its safe state: ${state.detail}`);
  }

  "on-note"(note, record) {
    this.#remark(record, `${note.who}: ${note.what}`);
  }

  "on-action"(action, record) {
    const [deed, about] = Object.entries(action.what)[0];
    const why = about.reason ? `: ${about.reason}` : about.case ? ` of ${caseName(about.case)}` : "";
    const undone = action.outcome["not-done"];
    if (deed === "pause" && !undone) this.paused = { by: action.by, at: record.at };
    if (deed === "resume" || deed === "abort") this.paused = null;
    this.#remark(record, `${action.by.name} (${action.by.role}): ${DEEDS[deed] ?? deed}${why}${undone ? `; not done: ${undone.reason}` : ""}`);
  }

  "on-migration"(event, record) {
    this.#remark(record, `migration of ${event.installation}: ${event.stage}, ${event.detail}`, false);
  }

  "on-prepared"(prepared, record) {
    this.#remark(record, `prepared: ${prepared.what}`, false);
  }

  "on-issue-raised"(issue, record) {
    this.#remark(record, `Testing Issue ${issue.id} raised, severity ${issue.severity}: ${issue.summary}`);
  }

  "on-issue-resolved"(issue, record) {
    this.#remark(record, `Testing Issue ${issue.id} resolved by ${issue.by}: ${issue.how}`);
  }

  "on-repaired"(repaired, record) {
    this.#remark(record, `reopened after its writer died; ${repaired.octets} torn octets put aside`);
  }

  "on-run-finished"(finished, record) {
    this.finished = { ...finished, at: record.at };
    [this.current, this.paused] = [null, null];
    this.#say(`The run has ended: ${words(finished.verdict)}`);
  }

  #case(planned) {
    const name = caseName(planned);
    if (!this.cases.has(name)) {
      const entry = { ...planned, name, title: null, verdict: null, reason: null, attempts: [] };
      this.cases.set(name, entry);
      this.dirty.cases.add(entry);
    }
    return this.cases.get(name);
  }

  /** The step that began with this record; most often it is the last. */
  #step(intent) {
    if (intent === undefined) return null;
    for (let at = this.attempts.length - 1; at >= 0; at -= 1) {
      const step = this.attempts[at].steps.findLast(({ number }) => number === intent);
      if (step) {
        this.dirty.steps.add(step);
        return step;
      }
      if (this.attempts[at].number < intent) break;
    }
    return null;
  }

  #remark(record, text, aloud = true) {
    this.remarks.push({ number: record.n, at: record.at, text });
    if (aloud) this.#say(text);
  }

  #say(text) {
    this.dirty.said.push(text);
  }
}

/** A verdict in words. */
export const words = (verdict) => (verdict === "not-run" ? "not run" : verdict);

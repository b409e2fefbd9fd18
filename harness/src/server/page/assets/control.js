// The engineers' buttons. They exist on the engineers' listener alone; the server decides, and records, every act.

import { asked, byId, clock, fill, h, keyed, posted, say } from "./parts.js";

/** How often the lab's state is asked for while a run is steered. */
const EVERY = 1000;
/** For how long a rig can be held before one must say again that one needs it, in seconds. */
const LEASES = [[1800, "half an hour"], [3600, "an hour"], [14_400, "four hours"], [28_800, "eight hours"], [86_400, "a day"]];

/** What is looked at again as soon as an act has been taken. */
let look = () => {};
/** Has the page look at the lab's state after each act. */
export const afterEachAct = (doIt) => { look = doIt; };

/**
 * A button that acts and says what became of it. `asks` makes it ask first, for a reason that is recorded; `lease` has it ask
 * for how long as well; `told` says in words what was done.
 */
function button(words, path, body, { asks = null, lease = false, kind = "", told = `${words}: done` } = {}) {
  const made = h("button", { type: "button", class: kind, click: press }, asks ? `${words}\u2026` : words);
  async function press() {
    const given = asks ? await ask(words, asks, { lease, kind }) : {};
    if (given === null) return;
    made.setAttribute("aria-busy", "true");
    try {
      const answer = await (await posted(`/control/${path}`, { ...(typeof body === "function" ? body() : body), ...given })).text();
      acted(`${typeof told === "function" ? told() : told}, ${answer.trim()}.`, "good");
    } catch (error) {
      acted(`${words}: refused. ${error.message}`, "bad");
    }
    made.removeAttribute("aria-busy");
    await look();
  }
  return made;
}

function acted(text, state) {
  const place = byId("acted");
  place.className = state;
  say(place, text);
}

/** Asks for a reason, and for how long; null when the engineer would rather not. */
function ask(words, question, { lease, kind }) {
  return new Promise((resolve) => {
    const reason = h("input", { id: "reason", required: true, maxlength: "1000", autocomplete: "off", autofocus: true });
    const long = h("select", { id: "lease" }, LEASES.map(([seconds, told]) => h("option", { value: seconds, selected: seconds === 3600 }, told)));
    const given = () => ({ reason: reason.value.trim(), ...(lease ? { "lease-seconds": Number(long.value) } : {}) });
    const dialog = h("dialog", { "aria-labelledby": "question", close: () => resolve(dialog.returnValue === "do" ? given() : null) },
      h("form", { method: "dialog" }, h("h2", { id: "question" }, question),
        h("label", { for: "reason" }, "Why? It is recorded with your name."), reason,
        lease ? [h("label", { for: "lease" }, "For how long? It is given back then, unless you keep it longer."), long] : null,
        h("p", { class: "buttons" }, h("button", { value: "do", class: kind === "danger" ? kind : "" }, words), h("button", { value: "no", class: "quiet", formnovalidate: true }, "Cancel"))));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  });
}

const outcome = () => h("p", { id: "acted", role: "status" });
const stopAll = () => button("Stop everything", "stop-everything", {}, { asks: "Stop every run and bring every rig to its safe state?", kind: "danger", told: "Everything is being stopped" });

function shownIn(place) {
  place.hidden = false;
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", "Control");
}

/** The buttons of one run, as its state has them: what cannot be done now cannot be pressed. */
export class RunControls {
  #stage = "";

  /** `shown` says which attempt is shown. */
  constructor(place, name, run, shown) {
    Object.assign(this, { name, run, shown, lab: null });
    shownIn(place);
    const about = () => ({ run: name });
    this.words = h("p", { id: "steering", role: "status" }, "Asking the controller.");
    this.pause = button("Pause", "pause", about, { told: "It will pause before its next step" });
    this.resume = button("Resume", "resume", about, { told: "It goes on" });
    this.abort = button("Abort", "abort", about, { asks: "Abort this run? Its clean-up runs and its rig is made safe.", kind: "danger", told: "It is being aborted" });
    this.again = button("Run this script again", "rerun", () => ({ run: name, case: shown().case.name }),
      { kind: "quiet", told: () => `${shown().case.name} will be run again, every attempt before is kept` });
    fill(place, this.words, h("div", { class: "buttons" }, this.pause, this.resume, this.abort, stopAll()), outcome());
    fill(byId("script-acts"), this.again);
    afterEachAct(() => this.look());
  }

  /** Follows the lab's state until the run is nobody's to steer any more. */
  async follow() {
    do {
      await this.look();
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    } while (!this.run.finished || this.lab?.runs[this.name]);
    await this.look();
  }

  async look() {
    this.lab = await asked("/lab").catch(() => null);
    this.draw();
  }

  draw() {
    const way = this.lab?.runs[this.name];
    const stage = way?.stage ?? (this.run.finished ? "ended" : this.lab ? "elsewhere" : "unknown");
    this.#say(stage, way);
    const had = [this.pause, this.resume].find((each) => each === document.activeElement);
    this.pause.hidden = stage !== "running";
    this.resume.hidden = !["pausing", "paused"].includes(stage);
    this.abort.hidden = !way || stage === "stopping";
    // Whoever paused by keyboard resumes by the same key.
    if (had?.hidden) [this.pause, this.resume].find(({ hidden }) => !hidden)?.focus();
    const attempt = this.shown();
    const ended = attempt?.case.attempts.some(({ verdict }) => verdict);
    this.again.hidden = !way || stage === "stopping" || !ended;
  }

  #say(stage, way) {
    const by = way?.steered?.by.name;
    const since = this.run.paused && stage === "paused" ? `, since ${clock(this.run.paused.at)} UTC` : "";
    const words = {
      running: `It runs. ${way?.by.name} asked for it.`,
      pausing: `It will pause before its next step: ${by} asked for that.`,
      paused: `PAUSED by ${by} at a step boundary${since}. Nothing is sent until somebody resumes it.`,
      stopping: `It is being ended by ${by}: ${way?.steered?.reason}. Its clean-up runs and its rig is made safe.`,
      ended: "It has ended, and is steered no more.",
      elsewhere: "The controller here does not drive this run.",
      unknown: "The controller does not say where this run stands.",
    }[stage];
    this.#stage = stage;
    this.words.dataset.stage = stage;
    say(this.words, words);
  }

  get stage() {
    return this.#stage;
  }
}

/** What can be done to the lab as a whole, and to what is in it. */
export const controls = {
  ofLab(place) {
    shownIn(place);
    this.lift = button("Let runs begin again", "lift-stop", {}, { told: "Runs may begin again" });
    fill(place, h("div", { class: "buttons" }, stopAll(), this.lift), join(), outcome());
  },
  /** What stands in the forms is left as it is. */
  draw(lab) {
    this.lift.hidden = !lab?.stopped;
    keyed(byId("join-rig"), Object.keys(lab?.rigs ?? {}), (name) => name, (name) => h("option", { value: name }, name));
  },
  ofRig(name, used, who) {
    if (used === "free") return button("Hold", "hold", { rig: name }, { asks: `Hold ${name} for yourself?`, lease: true, told: `You hold ${name}` });
    if (!used.held) return null;
    const own = used.held.by.name === who?.name;
    return [own ? button("Keep it longer", "hold", { rig: name }, { asks: `Keep ${name} for yourself?`, lease: true, told: `You keep ${name}` }) : null,
      button("Give back", "give-back", { rig: name }, { told: `${name} is given back` })];
  },
  ofDevice(rig, { kind, eui64 }, isQuarantined) {
    const name = `${kind} ${eui64}`;
    const made = isQuarantined
      ? button("Lift quarantine", "lift-quarantine", { device: eui64 }, { kind: "quiet", told: `${name} may be used again` })
      : button("Quarantine", "quarantine", { device: eui64 }, { asks: `Put ${name} of ${rig} into quarantine? A run that uses it ends.`, kind: "quiet", told: `${name} is in quarantine` });
    made.setAttribute("aria-label", `${made.textContent} ${name} of ${rig}`);
    return made;
  },
  ofEntry: (entry) => button("Take out of the queue", "leave", { entry }, { kind: "quiet", told: `Entry ${entry} is out of the queue` }),
};

/** A form that puts work into the queue. */
function join() {
  const field = (id, words, about) => [h("label", { for: id }, words), h("input", { id, autocomplete: "off", spellcheck: "false", placeholder: about })];
  const list = (id) => byId(id).value.split(/[\s,]+/).filter(Boolean);
  return h("details", { class: "join" }, h("summary", {}, "Ask for a run"),
    h("label", { for: "join-rig" }, "Rig"), h("select", { id: "join-rig" }),
    field("join-packs", "Packs; none means the standard ones", "ioc-service-reference-variant"), field("join-scripts", "Scripts; none means all of them", ""), field("join-witnessed", "Scripts to be witnessed", ""),
    h("p", {}, button("Join the queue", "join", () => ({ rig: byId("join-rig").value, packs: list("join-packs"), scripts: list("join-scripts"), witnessed: list("join-witnessed") }), { told: "It waits for its rig" })));
}


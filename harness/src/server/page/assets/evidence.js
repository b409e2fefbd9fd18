// The panel of the evidence: what was checked, by which key, which head is held, and the alarm.

import { byId, chip, command, digest, fill, h, kept, offer, say } from "./parts.js";

const EXPECTED = "expected-key";
const heldAt = (run) => `head/${run}`;

/** The key this witness says the lab must have, if they said so. */
export const expectedKey = () => kept.get(EXPECTED);

/** The head this witness holds of a run. */
export const heldHead = (run) => kept.get(heldAt(run));

export class Evidence {
  constructor(run) {
    this.run = run;
    this.key = null;
    this.cannot = null;
    this.alarmed = null;
    this.held = heldHead(run);
    byId("expect-key").addEventListener("submit", (event) => this.#expect(event));
    byId("export-head").addEventListener("click", () => this.#export());
    byId("forget-head").addEventListener("click", () => this.#forget());
  }

  /** The key the run names is known; what it must be, if the witness said so, is held against it. */
  showKey(key) {
    this.key = key;
    say(byId("key-name"), key.name);
    say(byId("key-text"), key.text);
    const expected = expectedKey();
    byId("expected").value = expected ?? "";
    this.#trust(expected === null ? null : expected === key.text);
    if (expected !== null && expected !== key.text) {
      this.alarm("This is not the key you expect", `The run is signed by ${key.text}. You expect ${expected}.`);
    }
  }

  #trust(isExpected) {
    const place = byId("trust");
    if (isExpected === null) {
      fill(place, "This key came with the run, so anybody could have made it. Get the lab\u2019s key from the lab by another way ",
        "(on paper, by telephone, from ", h("code", {}, "keys/lab.pub"), ") and enter it here.");
      place.className = "unsure";
      return;
    }
    fill(place, isExpected ? "This is the key you expect." : "This is NOT the key you expect.");
    place.className = isExpected ? "good" : "bad";
  }

  #expect(event) {
    event.preventDefault();
    const expected = byId("expected").value.trim();
    if (expected) kept.put(EXPECTED, expected);
    else kept.drop(EXPECTED);
    this.#trust(expected && this.key ? expected === this.key.text : null);
    if (expected && this.key && expected !== this.key.text) {
      this.alarm("This is not the key you expect", `The run is signed by ${this.key.text}. You expect ${expected}.`);
    }
  }

  /** How far the check has come. */
  show(witness) {
    if (this.alarmed) return;
    const { received, signed, head } = witness;
    const complete = head?.isFinal && received === head.size;
    const state = complete ? "complete" : "checked";
    byId("evidence").dataset.state = this.cannot ? "cannot" : state;
    if (!this.cannot) {
      const waiting = received - signed;
      const behind = waiting > 0 ? `; ${waiting} more not signed yet` : "";
      say(byId("evidence-line"), complete
        ? `All ${received} records are signed, and the signatures hold. The run is complete.`
        : `${signed} of ${received} records are signed, and the signatures hold${behind}.`);
    }
    say(byId("checkpoints"), String(witness.checkpoints));
    if (!head) return;
    say(byId("head-size"), `${head.size}`);
    say(byId("head-root"), head.rootHex);
    if (!this.held || head.size > this.held.size) this.#hold(head);
    this.#showHeld();
  }

  #hold(head) {
    this.held = { size: head.size, root: head.rootHex, note: head.note, key: this.key.text, since: new Date().toISOString() };
    this.isKept = kept.put(heldAt(this.run), this.held);
    byId("export-head").disabled = false;
    this.#commands();
  }

  #showHeld() {
    if (!this.held) return;
    const place = this.isKept === false ? "in this page alone: this browser keeps nothing" : "in this browser";
    say(byId("head-held"), `You hold the signed head over ${this.held.size} records, ${place}.`);
    byId("export-head").disabled = false;
  }

  #commands() {
    if (byId("verify-commands").childElementCount > 0) return;
    fill(byId("verify-commands"),
      h("p", {}, "On any machine that has the run\u2019s folder, the lab\u2019s key and the head you saved:"),
      command(`harness verify --key '${this.key.text}' --head ${this.run}.head runs/${this.run}`));
  }

  #export() {
    offer(`${this.run}.head`, this.held.note);
  }

  #forget() {
    kept.drop(heldAt(this.run));
    this.held = null;
    say(byId("head-held"), "You hold no head of this run now. Load the page again to begin anew.");
    byId("export-head").disabled = true;
  }

  /** This browser cannot check; what is shown is what the server says, and no more. */
  showCannot(reason) {
    this.cannot = reason;
    byId("evidence").dataset.state = "cannot";
    say(byId("evidence-line"), `NOT CHECKED: ${reason}. What you see is what the server says. Use harness watch, or harness verify.`);
  }

  /** What cannot be overlooked. */
  alarm(title, what) {
    this.alarmed = { title, what };
    byId("evidence").dataset.state = "alarm";
    say(byId("evidence-line"), title);
    document.documentElement.classList.add("alarmed");
    document.title = `ALARM: ${title}`;
    const held = this.held ? h("p", {}, "You hold the head over ", String(this.held.size), " records, root ", digest(this.held.root), ". Keep it: it is evidence.") : null;
    const save = this.held ? h("button", { type: "button", click: () => this.#export() }, "Save the head you hold") : null;
    const place = byId("alarm");
    place.hidden = false;
    fill(place, h("h2", {}, `ALARM: ${title}`), h("p", {}, what),
      h("p", {}, "Nothing of this run from there on may be relied on. It is shown no further. Tell the lab, and do not reload away what you see: note it first."),
      held, save);
    place.focus();
  }
}

export { chip };

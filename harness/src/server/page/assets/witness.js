// The witness's own check of a run: every line hashed, the tree grown, every checkpoint's signature and root held against it.
//
// A witness keeps the latest signed head it has checked. A run that does not extend that head has another history than
// the one the witness saw: that is an alarm, and so is anything signed that the lines do not bear out.

import { Tree, hex, leafHash, same } from "./tree.js";
import { SHORT_LEAF, checkpoint, takeNote, unsigned } from "./note.js";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The evidence is not what it must be. `record` is the first record that is wrong, where that is known. */
export class Alarm extends Error {
  constructor(title, message, record = null) {
    super(message);
    this.title = title;
    this.record = record;
  }
}

export class Witness {
  /** The tree over the records that a checkpoint covers, whose signature and root held. */
  #tree = new Tree();
  /** Leaf hashes of the records after those. */
  #waiting = [];
  /** Signed checkpoints that cover more records than have come. */
  #ahead = [];
  /** Octets of the checkpoints that have come, and of the last of them as far as it is no whole note yet. */
  notesRead = 0;

  /**
   * `key` and `verify` check signatures; `origin` is what every checkpoint of this run must begin with; `held` is the head
   * this witness held before, if any: its size, and its root in hexadecimal.
   */
  constructor({ key, verify, origin, held = null }) {
    Object.assign(this, { key, verify, origin, held });
    this.received = 0;
    this.checkpoints = 0;
    this.head = null;
    this.heldFound = held === null || held.size === 0;
  }

  /** How many records are under a signature that this witness has checked. */
  get signed() {
    return this.#tree.size;
  }

  /** Takes the next lines of the run, line feeds included, and gives the records they are one by one. */
  async *takeLines(lines) {
    const leaves = await Promise.all(lines.map(leafHash));
    for (const [at, line] of lines.entries()) {
      const record = this.#read(line);
      this.#waiting.push(leaves[at]);
      this.received += 1;
      while (this.#ahead.length > 0 && this.#ahead[0].size <= this.received) await this.#cover(this.#ahead.shift());
      yield record;
    }
  }

  #read(line) {
    const number = this.received;
    let record;
    try {
      record = JSON.parse(strict.decode(line));
    } catch {
      throw new Alarm("A record was altered", `Line ${number} of the run is no record.`, number);
    }
    if (record.n !== number) {
      const what = `The line in place ${number} says it is record ${record.n}: a record is missing, added or moved.`;
      throw new Alarm("A record is missing or was moved", what, number);
    }
    return record;
  }

  /** Takes signed notes as they stand in the checkpoint file. */
  async takeNotes(octets) {
    let rest;
    try {
      rest = strict.decode(octets);
    } catch {
      throw new Alarm("A checkpoint was altered", `Checkpoint ${this.checkpoints} is not UTF-8.`);
    }
    this.notesRead += octets.length;
    while (rest.length > 0) {
      const taken = takeNote(rest);
      if (!taken) throw new Alarm("A checkpoint was altered", `Checkpoint ${this.checkpoints} is no signed note.`);
      await this.#takeNote(taken.note);
      rest = taken.rest;
    }
  }

  async #takeNote(note) {
    const place = this.checkpoints;
    const wrong = (what) => new Alarm("A checkpoint does not hold", `Checkpoint ${place}: ${what}.`);
    const fault = await unsigned(note, this.key, this.verify);
    if (fault) throw wrong(fault);
    const found = checkpoint(note.text);
    if (!found) throw wrong("what is signed is not a checkpoint as a lab writes them");
    if (found.origin !== this.origin) throw wrong(`it belongs to ${found.origin}, not to this run (${this.origin})`);
    const before = this.#ahead.at(-1) ?? this.head ?? { size: 0, isFinal: false };
    if (before.isFinal) throw wrong("it follows the final checkpoint");
    if (found.leaves.length !== found.size - before.size || found.leaves.length === 0) {
      throw wrong(`it covers ${found.size} records after ${before.size}, and lists ${found.leaves.length}`);
    }
    this.checkpoints += 1;
    found.note = note.whole;
    if (found.size <= this.received) await this.#cover(found);
    else this.#ahead.push(found);
  }

  /** Grows the tree to a signed checkpoint, and holds its leaves and its root against what came. */
  async #cover(signed) {
    for (const [at, short] of signed.leaves.entries()) {
      const leaf = this.#waiting[at];
      if (!same(leaf.subarray(0, SHORT_LEAF), short)) {
        const number = this.#tree.size;
        throw new Alarm("A record was altered", `Record ${number} is not the one that was signed for.`, number);
      }
      await this.#tree.push(leaf);
      if (this.#tree.size === this.held?.size) await this.#meet();
    }
    this.#waiting.splice(0, signed.leaves.length);
    const root = await this.#tree.root();
    if (!same(root, signed.root)) {
      throw new Alarm("The records are not those signed for", `The root of the first ${signed.size} records is not the one signed.`);
    }
    this.head = { ...signed, leaves: [], rootHex: hex(root) };
  }

  /** The run has come to where the held head was: its root must be the same. */
  async #meet() {
    const root = hex(await this.#tree.root());
    if (root !== this.held.root) {
      const what =
        `The first ${this.held.size} records are not those whose signed head you hold: their root is ${root}, ` +
        `and the head you hold says ${this.held.root}. Both are signed: the lab has shown two histories.`;
      throw new Alarm("This is another history of the run", what);
    }
    this.heldFound = true;
  }

  /** Everything there is has come: what was signed for, and what was held, must be among it. */
  atEdge() {
    const missing = this.#ahead.at(-1);
    if (missing) {
      const what = `${missing.size} records are signed for, and ${this.received} are here.`;
      throw new Alarm("Records are missing", what, this.received);
    }
    if (!this.heldFound && this.signed < this.held.size) {
      const what =
        `You hold a signed head over ${this.held.size} records, and only ${this.signed} are here under a signature: ` +
        "the end of the run was cut off, or the run was begun again.";
      throw new Alarm("The run is shorter than it was", what, this.signed);
    }
    if (this.head?.isFinal && this.received > this.head.size) {
      throw new Alarm("Records follow the end", "Records stand after the final checkpoint.", this.head.size);
    }
  }
}

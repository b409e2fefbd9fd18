// A witness's own key, and what they sign with it: the head that this browser has checked, as a C2SP cosignature.
//
// The private half is made by the browser, cannot be read by any program, this one included, and never leaves it. What is
// signed is `cosignature/v1`, the time, and the text of the checkpoint.

import { byId, command, fill, h, posted, say } from "./parts.js";
import { hex, sha256, toBase64 } from "./tree.js";

const utf8 = new TextEncoder();
/** The mark of timestamped Ed25519 cosignatures. */
const COSIGNATURE = 4;
const NAME = /^[A-Za-z0-9._/-]{1,100}$/;

/** What is kept of a key: its name, its public octets, and the private half as the browser holds it. */
class Keys {
  static async open() {
    const request = indexedDB.open("lab-witness", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("keys");
    return new Keys(await answered(request));
  }

  constructor(database) {
    this.database = database;
  }

  get(who) {
    return answered(this.database.transaction("keys").objectStore("keys").get(who));
  }

  put(who, key) {
    return answered(this.database.transaction("keys", "readwrite").objectStore("keys").put(key, who));
  }
}

const answered = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Makes a key whose private half nobody can take out of this browser. */
async function makeKey(name) {
  const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
  return { name, octets: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)), privateKey: pair.privateKey };
}

/** First four octets of SHA-256 over name, line feed, mark and public key. */
const keyHash = async ({ name, octets }) => (await sha256(utf8.encode(`${name}\n`), Uint8Array.of(COSIGNATURE), octets)).slice(0, 4);

/** The public half as the lab registers it: `name+hash+base64`. */
const keyText = async (key) => `${key.name}+${hex(await keyHash(key))}+${toBase64(Uint8Array.of(COSIGNATURE, ...key.octets))}`;

/** The note that says a key has signed the text of a checkpoint at a time, in seconds since 1970. */
export async function cosigned(key, text, time) {
  const signature = await crypto.subtle.sign({ name: "Ed25519" }, key.privateKey, utf8.encode(`cosignature/v1\ntime ${time}\n${text}`));
  const octets = new Uint8Array(76);
  octets.set(await keyHash(key), 0);
  new DataView(octets.buffer).setBigUint64(4, BigInt(time));
  octets.set(new Uint8Array(signature), 12);
  return `${text}\n\u2014 ${key.name} ${toBase64(octets)}\n`;
}

/** The panel by which a witness cosigns, and nothing else. */
export class Cosigner {
  #head = null;
  #key = null;

  constructor(run, who) {
    Object.assign(this, { run, who });
  }

  async begin() {
    byId("cosign-place").hidden = false;
    if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return this.#cannot("it signs only over https or on the machine itself (a secure context)");
    try {
      this.keys = await Keys.open();
      this.#key = await this.keys.get(this.who.name);
    } catch (error) {
      return this.#cannot(`it keeps nothing for this page (${error.name})`);
    }
    return this.#key ? this.#showKey() : this.#offerKey();
  }

  #cannot(why) {
    fill(byId("cosign"), h("p", { class: "unsure" }, `This browser cannot cosign: ${why}. A program can, over gRPC.`));
  }

  #offerKey() {
    const suggested = `witness/${this.who.name.toLowerCase().replace(/[^a-z0-9._-]+/g, "-")}`;
    const name = h("input", { id: "key-to-be", value: suggested, required: true, autocomplete: "off", spellcheck: "false" });
    const make = async (event) => {
      event.preventDefault();
      if (!NAME.test(name.value)) return this.#told("A key is named by 1 to 100 of letters, digits, - _ . and /.", "bad");
      try {
        this.#key = await makeKey(name.value);
        await this.keys.put(this.who.name, this.#key);
      } catch (error) {
        return this.#cannot(`its WebCrypto makes no Ed25519 keys (${error.name}); a current one does`);
      }
      this.#told("Your key is made. The lab must register it before what you sign counts.", "good");
      return this.#showKey();
    };
    fill(byId("cosign"), h("p", {}, "To put your name to the head you have checked you need a key of your own. It is made in this browser, and its private half never leaves it."),
      h("form", { submit: make }, h("label", { for: "key-to-be" }, "Its name"), h("div", { class: "pair" }, name, h("button", {}, "Make my key"))));
  }

  async #showKey() {
    const text = await keyText(this.#key);
    const name = this.who.name.replaceAll("'", "");
    this.button = h("button", { type: "button", click: () => this.#cosign() }, "Cosign this head");
    fill(byId("cosign"), h("p", {}, "Puts your name to the signed head that this browser has checked, and hands that to the lab. It does nothing else."), h("p", {}, this.button),
      h("details", {}, h("summary", {}, "Your key"), h("p", {}, "The public half, which the lab registers once:"), h("p", {}, h("code", { id: "cosigner-key", class: "wrap", tabindex: "0" }, text)),
        command(this.who["signed-in"] ? `harness people key '${name}' '${text}'` : `harness serve --loopback-without-credentials --witness '${text}'`),
        h("p", {}, "Whoever has the run\u2019s folder then checks what you signed:"), command(`harness verify --witness '${text}' runs/${this.run}`)));
    this.show(this.#head);
  }

  /** The head the browser has checked; null when there is none, or none that may be relied on. */
  show(head) {
    this.#head = head;
    if (!this.button) return;
    this.button.disabled = head === null;
    say(this.button, head === null ? "Cosign this head" : `Cosign this head: ${head.size} records`);
  }

  async #cosign() {
    const head = this.#head;
    if (!head) return;
    this.button.disabled = true;
    try {
      const text = head.note.slice(0, head.note.indexOf("\n\n") + 1);
      const note = await cosigned(this.#key, text, Math.floor(Date.now() / 1000));
      const told = await (await posted("/cosign", { run: this.run, note })).json();
      const words = told.already ? "had cosigned already" : "have cosigned";
      this.#told(`You ${words} the head over ${told.size} records, root ${head.rootHex.slice(0, 12)}\u2026. The lab keeps it with the run.`, "good");
    } catch (error) {
      this.#told(`Not cosigned: ${error.message}`, "bad");
    }
    this.show(this.#head);
  }

  #told(text, state) {
    const place = byId("cosigned");
    place.className = state;
    say(place, text);
  }
}

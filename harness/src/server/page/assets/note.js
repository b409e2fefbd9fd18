// Signed notes (C2SP) with Ed25519 signatures, and the checkpoints in them (C2SP tlog-checkpoint).

import { fromBase64, hex, same, sha256, toBase64 } from "./tree.js";

const utf8 = new TextEncoder();
/** The mark of an Ed25519 key. */
const ED25519 = 1;
/** Octets of each leaf hash that a checkpoint lists. */
export const SHORT_LEAF = 8;

/** A key `name+hash+base64`, read; an Error says what is wrong with it. */
export async function parseKey(text) {
  const [, name, hash, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const octets = encoded && fromBase64(encoded);
  if (!octets || octets.length !== 33 || octets[0] !== ED25519) {
    throw new Error("not a verifier key: expected name+hash+base64 of an Ed25519 key");
  }
  const found = (await sha256(utf8.encode(`${name}\n`), octets)).slice(0, 4);
  if (hex(found) !== hash) {
    throw new Error(`damaged verifier key: its hash is ${hex(found)}, and it says ${hash}`);
  }
  return { text: text.trim(), name, hash: found, octets: octets.slice(1) };
}

/** What checks signatures of a key; an Error when this browser cannot. */
export async function verifier(key) {
  if (!globalThis.crypto?.subtle) {
    throw new Error("this browser lets a page check signatures only over https or on the machine itself (a secure context)");
  }
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key.octets, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    throw new Error(`this browser's WebCrypto cannot check Ed25519 signatures (${error.name}): a current one can`);
  }
  return (signature, text) => crypto.subtle.verify({ name: "Ed25519" }, imported, signature, text);
}

/** The first note of a text and what follows it; null when the text begins with none. */
export function takeNote(text) {
  const empty = text.indexOf("\n\n");
  if (empty < 0) return null;
  const signed = text.slice(0, empty + 1);
  const signatures = [];
  let at = empty + 2;
  while (text.startsWith("\u2014 ", at)) {
    const end = text.indexOf("\n", at);
    if (end < 0) return null;
    const [name, encoded, ...more] = text.slice(at + 2, end).split(" ");
    const octets = fromBase64(encoded ?? "");
    if (!octets || octets.length < 5 || more.length > 0) return null;
    signatures.push({ name, hash: octets.slice(0, 4), signature: octets.slice(4) });
    at = end + 1;
  }
  return signatures.length > 0 ? { note: { text: signed, signatures, whole: text.slice(0, at) }, rest: text.slice(at) } : null;
}

/** Why a note is not signed by a key; null when it is. */
export async function unsigned(note, key, verify) {
  const own = note.signatures.find(({ name, hash }) => name === key.name && same(hash, key.hash));
  if (!own) return `it is signed by ${note.signatures.map(({ name }) => name).join(", ")}, not by ${key.name}`;
  return (await verify(own.signature, utf8.encode(note.text))) ? null : `the signature of key ${key.name} does not hold`;
}

/** The checkpoint in a note's text; null when it is not spelt exactly as the lab writes one. */
export function checkpoint(text) {
  const [origin, size, root, ...more] = text.split("\n");
  const found = { origin, size: Number(size), root: fromBase64(root ?? ""), leaves: [], isFinal: false };
  if (!/^(0|[1-9][0-9]{0,14})$/.test(size ?? "") || found.root?.length !== 32 || more.pop() !== "") return null;
  if (more[0]?.startsWith("leaves ")) {
    const octets = fromBase64(more.shift().slice("leaves ".length));
    if (!octets || octets.length === 0 || octets.length % SHORT_LEAF !== 0) return null;
    for (let at = 0; at < octets.length; at += SHORT_LEAF) found.leaves.push(octets.slice(at, at + SHORT_LEAF));
  }
  if (more[0] === "final") found.isFinal = Boolean(more.shift());
  return more.length === 0 ? found : null;
}

export { toBase64 };

// The RFC 6962 Merkle tree over record lines, grown one leaf at a time.
//
// Only the roots of the complete subtrees on the right edge are kept, so a run of any length costs the same memory.

/** SHA-256 over octets that follow one another. */
export async function sha256(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

/** The hash of a leaf: SHA-256 over 0x00 and the octets of the line, line feed included (RFC 6962 section 2.1). */
export const leafHash = (line) => sha256(Uint8Array.of(0), line);

/** The hash of an inner node: SHA-256 over 0x01 and its two children (RFC 6962 section 2.1). */
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

export class Tree {
  /** Roots of the complete subtrees, largest first; their sizes are the binary digits of `size`. */
  #edge = [];
  size = 0;

  /** Adds a leaf by its hash. */
  async push(leaf) {
    let hash = leaf;
    // Every trailing one in the old size is a complete subtree that the new leaf completes into a larger one.
    for (let rest = this.size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      hash = await nodeHash(this.#edge.pop(), hash);
    }
    this.#edge.push(hash);
    this.size += 1;
  }

  /** The root; of an empty tree, the digest of nothing. */
  async root() {
    if (this.#edge.length === 0) return sha256();
    let root = this.#edge.at(-1);
    for (let at = this.#edge.length - 2; at >= 0; at -= 1) root = await nodeHash(this.#edge[at], root);
    return root;
  }
}

/** Whether two strings of octets are the same. */
export const same = (a, b) => a.length === b.length && a.every((octet, at) => octet === b[at]);

/** Octets in hexadecimal. */
export const hex = (octets) => Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");

/** Octets of standard base64; null when it is none, or is not spelt as an encoder spells it. */
export function fromBase64(text) {
  try {
    const octets = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return toBase64(octets) === text ? octets : null;
  } catch {
    return null;
  }
}

/** Standard base64, padded. */
export const toBase64 = (octets) => btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(""));

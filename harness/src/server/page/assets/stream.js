// Server-sent events as octets. The browser's own reader of events turns them into text, by which octets may change; here
// lines are cut at line feeds alone and stay as they came, so that they can be hashed.

const LINE_FEED = 10;
const letters = new TextDecoder();

/** Cuts octets that arrive in pieces into lines, line feed included. */
class Lines {
  #pieces = [];

  *take(piece) {
    let from = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, from)) {
      this.#pieces.push(piece.subarray(from, end + 1));
      yield this.#whole();
      from = end + 1;
    }
    if (from < piece.length) this.#pieces.push(piece.subarray(from));
  }

  #whole() {
    const pieces = this.#pieces;
    this.#pieces = [];
    if (pieces.length === 1) return pieces[0];
    const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

/** The name of a line's field, and its value as octets. */
function field(line) {
  const colon = line.indexOf(58);
  if (colon < 0) return { name: letters.decode(line).trim(), value: line.subarray(line.length) };
  const value = line.subarray(colon + (line[colon + 1] === 32 ? 2 : 1));
  return { name: letters.decode(line.subarray(0, colon)), value };
}

/** Each event of a body: its name, and its data as lines of octets, line feed included. */
export async function* events(body) {
  const lines = new Lines();
  const reader = body.getReader();
  let event = { name: "", data: [] };
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    for (const line of lines.take(read.value)) {
      if (line.length === 1) {
        if (event.name) yield event;
        event = { name: "", data: [] };
        continue;
      }
      const { name, value } = field(line);
      if (name === "event") event.name = letters.decode(value).trim();
      if (name === "data") event.data.push(value.slice());
    }
  }
}

/** The octets of an event's data, one after the other. */
export function joined(event) {
  const whole = new Uint8Array(event.data.reduce((length, line) => length + line.length, 0));
  let at = 0;
  for (const line of event.data) {
    whole.set(line, at);
    at += line.length;
  }
  return whole;
}

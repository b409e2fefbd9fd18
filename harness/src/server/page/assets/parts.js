// Small parts that pages are made of. Everything is made as text nodes: nothing that a record says can become a tag.

import { words } from "./fold.js";
import { hex, sha256 } from "./tree.js";

/** An element with attributes and children; a function as an attribute is a listener. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Puts children in the place of those an element has. */
export const fill = (element, ...children) => element.replaceChildren(...children.flat().filter((child) => child != null));

/**
 * Shows items in order, each by an element that stays the same while its item does, so that whoever is about to press a
 * button in one does not lose it. `make` makes the element of an item.
 */
export function keyed(place, items, name, make) {
  const there = new Map([...place.children].map((element) => [element.dataset.key, element]));
  const focus = document.activeElement;
  const act = place.contains(focus) ? { key: focus.closest("[data-key]")?.dataset.key, words: focus.textContent } : null;
  const elements = items.map((item) => {
    const [key, drawn] = [name(item), JSON.stringify(item)];
    const before = there.get(key);
    if (before?.dataset.drawn === drawn) return before;
    const element = make(item);
    Object.assign(element.dataset, { key, drawn });
    for (const [at, details] of element.querySelectorAll("details").entries()) details.open = before?.querySelectorAll("details")[at]?.open ?? false;
    return element;
  });
  if (elements.length === place.children.length && elements.every((element, at) => element === place.children[at])) return;
  place.replaceChildren(...elements);
  if (!act || document.activeElement === focus) return;
  const card = elements.find(({ dataset }) => dataset.key === act.key);
  const buttons = [...(card?.querySelectorAll("button:not(:disabled), summary, a") ?? [])];
  (buttons.find(({ textContent }) => textContent === act.words) ?? buttons.find(({ tagName }) => tagName === "BUTTON") ?? buttons[0])?.focus();
}

/** Sets text only where it differs, so that nothing is read aloud twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const MARKS = { "not-run": "\u2013", pass: "\u2713", inconclusive: "?", fail: "\u2717", aborted: "\u25a0", error: "!" };

/** A verdict as a chip: a mark for the eye, a word for everybody. */
export function chip(verdict, live = false) {
  if (!verdict) return h("span", { class: live ? "chip live" : "chip open" }, live ? "running" : "to come");
  return h("span", { class: `chip ${verdict}` }, h("span", { "aria-hidden": "true" }, `${MARKS[verdict] ?? ""} `), words(verdict));
}

/** The time of day of a record. */
export const clock = (at) => (at ? at.slice(11, 19) : "");

/** A moment, to the second, in UTC. */
export const moment = (at) => (at ? `${at.slice(0, 10)} ${at.slice(11, 19)} UTC` : "");

/** How long it is between two moments. */
export function span(from, to) {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** A digest shortened for the eye; the whole one is in its title. */
export const digest = (text) => h("code", { title: text, class: "digest" }, `${text.slice(0, 12)}\u2026`);

/** A command to be typed in a terminal, with a button that copies it. */
export function command(text) {
  const button = h("button", { type: "button", class: "quiet", click: copy }, "Copy");
  async function copy() {
    await navigator.clipboard.writeText(text);
    say(button, "Copied");
  }
  return h("div", { class: "command" }, h("code", { tabindex: "0" }, text), button);
}

/** The name of the event that nobody is signed in any more. */
export const SIGNED_OUT = "signed-out";

/** The server's answer to a request, or an Error with its words. */
export async function got(path, options = {}) {
  const response = await fetch(path, { cache: "no-store", ...options });
  if (response.status === 401) document.dispatchEvent(new Event(SIGNED_OUT));
  if (!response.ok) throw new Error((await response.text()).trim() || `${response.status} ${response.statusText}`);
  return response;
}

/** What the server says to a request: JSON, or an Error with its words. */
export const asked = async (path, options = {}) => (await got(path, options)).json();

/** Posts JSON. */
export const posted = (path, body) => got(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** A blob of a run, and whether its octets are those its digest names. */
export async function blob(run, name) {
  const response = await got(`/runs/${run}/blobs/${name}`);
  const octets = new Uint8Array(await response.arrayBuffer());
  const whole = globalThis.crypto?.subtle ? hex(await sha256(octets)) === name : null;
  return { octets, whole, text: new TextDecoder().decode(octets) };
}

/** XML as an indented list of names and values, signatures left out; null when it is no XML. */
export function outline(text) {
  if (!text.trimStart().startsWith("<")) return null;
  const parsed = new DOMParser().parseFromString(text, "application/xml");
  if (parsed.querySelector("parsererror")) return null;
  const lines = [];
  const walk = (element, depth) => {
    if (element.localName === "Signature" || lines.length >= 400) return;
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data.trim()).join("");
    const told = [...element.attributes].filter(({ name }) => !name.startsWith("xmlns")).map(({ localName, value }) => ` ${localName}=${value}`);
    lines.push(`${"  ".repeat(depth)}${element.localName}${told.join("")}${own ? `: ${own}` : ""}`);
    for (const child of element.children) walk(child, depth + 1);
  };
  walk(parsed.documentElement, 0);
  return lines.join("\n");
}

/** Offers text as a file. */
export function offer(name, text) {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

/** What this browser keeps for the witness; without it, nothing is kept and the page says so. */
export const kept = {
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  },
  put(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  },
  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // Nothing is kept, so nothing is to be dropped.
    }
  },
  keys(prefix) {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
    } catch {
      return [];
    }
  },
};

// Who looks at the page, until when, and what is said once that has ended.

import { SIGNED_OUT, asked, byId, fill, h, moment, say } from "./parts.js";

/** How long before its end a session is said to end soon. */
const SOON = 10 * 60_000;
const EVERY = 15_000;

/** Asks who looks, and shows it. Without an answer it is somebody who only watches. */
export async function session() {
  document.addEventListener(SIGNED_OUT, ended);
  const told = await asked("/session").catch(() => ({ face: "watch", who: null }));
  if (!told.who) return told;
  const { name, role, until } = told.who;
  const left = h("span", { id: "session-left", class: "faint", role: "status" });
  fill(byId("who"), h("span", {}, h("strong", {}, name), `, ${role}`), left,
    told.who["signed-in"] ? h("button", { type: "button", class: "quiet", click: signOut }, "Sign out") : null);
  if (until) {
    const look = () => showLeft(left, Date.parse(until));
    look();
    setInterval(look, EVERY);
  }
  return told;
}

function showLeft(place, until) {
  const left = until - Date.now();
  if (left <= 0) ended();
  else if (left < SOON) say(place, `ends in ${Math.ceil(left / 60_000)} min`);
  else say(place, "");
}

async function signOut() {
  await fetch("/sign-out", { method: "POST" }).catch(() => null);
  location.assign("/sign-in");
}

/** Nobody is signed in any more, by time, by their own hand in another window, or because the lab took them off. */
function ended() {
  const place = byId("ended");
  if (!place.hidden) return;
  place.hidden = false;
  fill(place, h("strong", {}, "Your session has ended."), ` What is shown is what was there at ${moment(new Date().toISOString())}; heads you hold stay in this browser. `,
    h("a", { href: `/sign-in?to=${encodeURIComponent(location.pathname)}` }, "Sign in again"));
  fill(byId("who"), h("span", { class: "unsure" }, "signed out"));
}


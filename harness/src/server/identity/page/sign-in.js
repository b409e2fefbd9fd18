// The sign-in: name and password go to this listener, which answers with a cookie that no script can read.

const told = document.getElementById("told");
const button = document.querySelector("#sign-in button");

/** The page that was asked for, if it is one of this listener. */
function back() {
  const to = new URL(new URLSearchParams(location.search).get("to") ?? "/", location.origin);
  return to.origin === location.origin ? to.pathname : "/";
}

document.getElementById("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  const body = JSON.stringify({ name: given.get("name").trim(), password: given.get("password") });
  told.textContent = "";
  button.disabled = true;
  try {
    const response = await fetch("/sign-in", { method: "POST", headers: { "content-type": "application/json" }, body });
    const answer = await response.json();
    if (response.ok) return location.replace(back());
    told.textContent = `Not signed in: ${answer.error}.`;
  } catch (error) {
    told.textContent = `Not signed in: ${error.message}.`;
  }
  button.disabled = false;
  document.getElementById("password").select();
});
// Not before now: a form that is sent without this program is sent to nowhere.
button.disabled = false;

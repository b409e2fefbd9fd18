// The sign-in: name and password go to this listener, which answers with a cookie that no script can read.

const told = document.getElementById("told");

document.getElementById("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  const body = JSON.stringify({ name: given.get("name"), password: given.get("password") });
  told.textContent = "Signing in.";
  try {
    const response = await fetch("/sign-in", { method: "POST", headers: { "content-type": "application/json" }, body });
    const answer = await response.json();
    if (response.ok) return location.replace("/");
    told.textContent = `Not signed in: ${answer.error}.`;
  } catch (error) {
    told.textContent = `Not signed in: ${error.message}.`;
  }
});

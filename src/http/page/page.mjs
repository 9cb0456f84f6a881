// The script of keywright's page. Every form and link works without it.

const root = document.querySelector(".kw");
const all = (selector) => root.querySelectorAll(selector);

// The token of a new key is on one page only, and leaves it with the user.
const once = root.querySelector("[data-kw-once]");
if (once) {
  const screen = once.dataset.kwOnce;
  // A reload shows the key's own screen, and does not send the form again.
  history.replaceState(null, "", screen);
  let isStored = false;
  const stored = () => { isStored = true; };
  addEventListener("beforeunload", (event) => {
    if (!isStored) event.preventDefault();
  });
  addEventListener("pagehide", () => {
    for (const secret of all("[data-kw-copy]")) secret.textContent = "";
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.replace(screen);
  });
  root.querySelector("[data-kw-stored]").addEventListener("click", stored);
  const line = once.querySelector("[role=status]");
  for (const secret of all("[data-kw-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "kw-button kw-quiet";
    button.textContent = secret.dataset.kwCopy;
    button.addEventListener("click", async () => {
      const isCopied = await copy(secret);
      line.textContent = isCopied ? line.dataset.kwCopied : line.dataset.kwSelect;
      if (isCopied && "kwSecret" in secret.dataset) stored();
    });
    secret.after(button);
  }
}

// The clipboard exists only where the page is a secure context.
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    try {
      return document.execCommand("copy");
    } catch {
      return false;
    }
  }
}

// A second click sends no second form.
for (const form of all("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.kwSent) {
      event.preventDefault();
      return;
    }
    form.dataset.kwSent = "yes";
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  });
}
// A form that the browser shows again, after "back", can be sent again.
addEventListener("pageshow", () => {
  for (const form of all("form[data-kw-sent]")) {
    delete form.dataset.kwSent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  }
});

// Times in UTC get the user's own time beside them.
const local = format(root.lang) ?? format();
for (const time of all("time")) {
  if (new Date(time.dateTime).getTimezoneOffset() !== 0) {
    const own = document.createElement("span");
    own.className = "kw-hint kw-local";
    own.textContent = local.format(new Date(time.dateTime));
    time.after(" ", own);
  }
}

// A host can name a language that browsers do not know.
function format(language) {
  try {
    return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  } catch {
    return undefined;
  }
}

// A narrow window shows rows as cards, by another display. A browser can then forget what they are.
// HTML does not allow these roles in the document itself.
const roles = {
  "table": "table", "thead, tbody": "rowgroup", "tr": "row",
  "th[scope=col]": "columnheader", "th[scope=row]": "rowheader", "td": "cell",
};
for (const [elements, role] of Object.entries(roles)) {
  for (const element of all(elements)) element.setAttribute("role", role);
}

// One box selects all keys of a table, and Shift selects a range.
const bulk = document.getElementById("bulk");
if (bulk) {
  const boxes = [...all("input[form=bulk][name=id]")];
  const count = root.querySelector("[data-kw-count]");
  const every = document.createElement("input");
  const label = document.createElement("label");
  every.type = "checkbox";
  label.className = "kw-choice";
  label.append(every, " ", bulk.dataset.kwAll);
  bulk.prepend(label);
  let last = 0;
  const tell = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    every.checked = chosen > 0 && chosen === boxes.length;
    every.indeterminate = chosen > 0 && chosen < boxes.length;
    count.textContent = chosen > 0 ? count.dataset.kwCount.replace("{count}", chosen) : "";
  };
  every.addEventListener("change", () => {
    for (const box of boxes) box.checked = every.checked;
    tell();
  });
  boxes.forEach((box, at) => box.addEventListener("click", (event) => {
    if (event.shiftKey) {
      const [from, to] = [Math.min(last, at), Math.max(last, at)];
      for (const one of boxes.slice(from, to + 1)) one.checked = box.checked;
    }
    last = at;
    tell();
  }));
  tell();
}

// The faults of a form are read first.
root.querySelector("#errors")?.focus();

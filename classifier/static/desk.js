// The desk's pages: sends what a form holds as JSON to this server, and lets words be marked with mouse or keyboard.

const say = document.body.dataset;
const problem = document.getElementById("problem");
const marks = [];

async function send(form) {
  problem.textContent = "";
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const answer = await fetch(form.dataset.send, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values(form)), cache: "no-store",
    });
    const content = await answer.json();
    if (!answer.ok) throw new Error(content.detail ?? say.failed);
    location.assign(content.next);
  } catch (error) {
    // A failure of the network has the browser's own words; the user gets ours.
    problem.textContent = error instanceof TypeError || error instanceof SyntaxError ? say.failed : error.message;
    problem.scrollIntoView();
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function values(form) {
  const found = {};
  for (const [name, value] of new FormData(form)) found[name] = name === "level" ? Number(value) : value;
  if ("markedForm" in form.dataset) found.marks = marks.map(({ key, start, end }) => ({ key, start, end }));
  return found;
}

for (const form of document.querySelectorAll("form[data-send]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

// Marking -----------------------------------------------------------------------------------------------------------

const text = document.getElementById("text"), list = document.getElementById("marks");

// The server counts characters (code points), the browser UTF-16 units.
const points = (unit) => [...text.value.slice(0, unit)].length;
const quote = (mark) => [...text.value].slice(mark.start, mark.end).join("");

function show() {
  list.replaceChildren(...marks.map((mark, number) => {
    const item = document.createElement("li"), words = document.createElement("q"), remove = document.createElement("button");
    const name = document.querySelector(`#mark-key option[value="${CSS.escape(mark.key)}"]`).textContent;
    words.textContent = quote(mark);
    remove.type = "button";
    remove.textContent = say.remove;
    remove.setAttribute("aria-label", `${say.remove}: ${words.textContent}`);
    remove.addEventListener("click", () => {
      marks.splice(number, 1);
      show();
      document.getElementById("marking-status").textContent = say.removed;
      document.getElementById("mark").focus();
    });
    item.append(words, ` ${name} `, remove);
    return item;
  }));
}

if (list) {
  // Not `readonly`: in such a field the arrow keys select nothing. So edits are stopped here, and undone where a browser makes one all the same.
  const whole = text.value;
  text.addEventListener("beforeinput", (event) => event.preventDefault());
  text.addEventListener("input", () => { text.value = whole; });
  marks.push(...JSON.parse(list.dataset.marks));
  show();
  document.getElementById("mark").addEventListener("click", () => {
    const status = document.getElementById("marking-status");
    if (text.selectionStart === text.selectionEnd) {
      status.textContent = say.selectFirst;
      text.focus();
      return;
    }
    marks.push({ key: document.getElementById("mark-key").value, start: points(text.selectionStart), end: points(text.selectionEnd) });
    show();
    status.textContent = say.marked;
  });
}

for (const choice of document.querySelectorAll('input[name="choice"]')) {
  choice.addEventListener("change", () => { document.getElementById("change").open = choice.value === "change"; });
}

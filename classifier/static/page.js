// The employee's page: sends the draft to this machine's own server and shows its answer. Keeps nothing.

const WAIT = 500; // milliseconds of quiet typing before a draft is assessed
const say = document.body.dataset;
const at = (id) => document.getElementById(id);
const text = at("text"), result = at("result"), tip = at("tip");

let timer = 0, running = null, previous = null, document_file = null;

// What the choices say ----------------------------------------------------------------------------------------------

const framework = () => document.querySelector("input[name=framework]:checked").value;

function request() {
  const asked = { text: text.value, framework: framework() };
  const target = at(`target-${asked.framework}`).value;
  if (target) asked.target = Number(target);
  if (previous !== null) asked.previous = previous;
  return asked;
}

async function send(path, body, type = "application/json", signal = undefined) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": type }, body, signal, cache: "no-store" });
  if (answer.ok) return answer;
  let detail = say.failed;
  try { detail = (await answer.json()).detail; } catch { /* not a problem document: the general sentence stands */ }
  throw new Error(detail);
}

// A failure of the network has the browser's own words; the user gets ours.
const sentence = (error) => error instanceof TypeError ? say.failed : error.message;

function tell(words) { at("status").textContent = words; }

function fail(error) {
  at("problem").textContent = sentence(error);
  at("problem").hidden = false;
  tell("");
}

// Assessing ---------------------------------------------------------------------------------------------------------

async function assess() {
  clearTimeout(timer);
  running?.abort();
  if (!text.value.trim()) return;
  const mine = running = new AbortController();
  result.classList.add("stale");
  tell(say.working);
  try {
    const answer = await send("/page", JSON.stringify(request()), undefined, mine.signal);
    const html = await answer.text();
    if (mine !== running) return;
    hideTip();
    result.innerHTML = html; // made by our own template, which escapes every text
    result.classList.remove("stale");
    at("problem").hidden = true;
    at("save").hidden = false;
    tell(say.done);
  } catch (error) {
    if (mine === running && error.name !== "AbortError") fail(error);
  }
}

function changed() {
  count();
  clearTimeout(timer);
  timer = setTimeout(assess, WAIT);
}

function count() {
  const words = text.value.split(/\s+/).filter(Boolean).length;
  const limit = Number(at("limit").value);
  const form = !limit ? say.wordsCount : words > limit ? say.wordsOver : say.wordsLeft;
  at("count").textContent = form.replace("{count}", words).replace("{left}", limit - words).replace("{over}", words - limit).replace("{limit}", limit);
  at("count").classList.toggle("over", Boolean(limit) && words > limit);
}

// Files -------------------------------------------------------------------------------------------------------------

async function open(file) {
  if (!file) return;
  tell(say.reading);
  try {
    const answer = await send("/v1/read", file, "application/octet-stream");
    text.value = (await answer.json()).text;
    document_file = file.name.toLowerCase().endsWith(".docx") ? file : null;
    at("save-word").hidden = document_file === null;
    at("problem").hidden = true;
    count();
    await assess();
  } catch (error) {
    fail(error);
  }
}

async function save(path, body, type, name) {
  try {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await (await send(path, body, type)).blob());
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    tell(say.saved);
  } catch (error) {
    fail(error);
  }
}

async function sample() {
  text.value = (await (await fetch("/sample", { cache: "no-store" })).json()).text;
  count();
  await assess();
}

// Marks: the tip repeats what the list says, so that eyes need not leave the words ------------------------------------

function showTip(mark) {
  const said = (mark.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean).map((id) => at(id)?.cloneNode(true)).filter(Boolean);
  if (!said.length) return;
  for (const item of said) item.removeAttribute("id");
  tip.replaceChildren(...said);
  tip.hidden = false;
  const box = mark.getClientRects()[0];
  tip.style.left = `${Math.max(8, Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8)) + window.scrollX}px`;
  const below = mark.getBoundingClientRect().bottom + 4;
  const top = below + tip.offsetHeight > window.innerHeight ? Math.max(0, box.top - tip.offsetHeight - 4) : below;
  tip.style.top = `${top + window.scrollY}px`;
}

function hideTip() { tip.hidden = true; }

for (const event of ["mouseover", "focusin"]) {
  document.addEventListener(event, ({ target }) => {
    const mark = target.closest?.(".text a.mark");
    if (mark) showTip(mark);
    else if (!tip.contains(target)) hideTip();
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
  if (event.key === "Enter" && event.ctrlKey) { event.preventDefault(); assess(); }
});
result.addEventListener("click", (event) => {
  const mark = event.target.closest("a.mark");
  if (!mark) return;
  event.preventDefault();
  hideTip();
  const item = at(mark.getAttribute("href").slice(1));
  item.scrollIntoView({ block: "center" });
  item.focus({ preventScroll: true });
});

// Wiring ------------------------------------------------------------------------------------------------------------

text.addEventListener("input", () => { document_file = null; at("save-word").hidden = true; changed(); });
at("limit").addEventListener("input", count);
at("assess").addEventListener("click", assess);
at("try-sample").addEventListener("click", () => sample().catch(fail));
at("keep").addEventListener("click", () => { previous = text.value; tell(say.kept); });
at("clear").addEventListener("click", () => { location.reload(); });
at("file").addEventListener("change", ({ target }) => open(target.files[0]));
at("print").addEventListener("click", () => window.print());
at("save-report").addEventListener("click", () => save("/v1/report", JSON.stringify(request()), undefined, "service-excellence.html"));
at("save-json").addEventListener("click", () => {
  const { previous: _, ...asked } = request();
  save("/v1/assess", JSON.stringify(asked), undefined, "service-excellence.json");
});
at("save-word").addEventListener("click", () => save(`/v1/annotate?framework=${framework()}`, document_file, "application/octet-stream", document_file.name.replace(/\.docx$/i, "-commented.docx")));
for (const choice of document.querySelectorAll("input[name=framework]")) {
  choice.addEventListener("change", () => {
    for (const row of document.querySelectorAll(".target")) row.hidden = row.dataset.framework !== framework();
    assess();
  });
}
for (const choice of document.querySelectorAll(".target select")) choice.addEventListener("change", assess);

document.addEventListener("dragover", (event) => { event.preventDefault(); text.classList.add("over"); });
document.addEventListener("dragleave", () => text.classList.remove("over"));
document.addEventListener("drop", (event) => {
  text.classList.remove("over");
  const file = event.dataTransfer.files[0];
  if (!file) return; // dragged text goes where the browser puts it
  event.preventDefault();
  open(file);
});

count();
if (location.hash === "#sample") sample().catch(fail);

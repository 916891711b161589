// The chat page: asks, and shows the safe HTML and the sources that the server makes of the answer while it is written.

const $ = (id) => document.getElementById(id);
const phrases = JSON.parse($("phrases").textContent);
const [exchanges, form, question, send, stop] = ["exchanges", "ask", "question", "send", "stop"].map($);
const KEY = "souffleur-key";
const THREAD = "souffleur-thread";

let thread = { id: "", turns: [] };
let running = null; // AbortController of the answer being written

// --- Talking to the server ---

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error(phrases["no-connection"]);
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw new Refused(response.status, body?.error?.message ?? `${response.status} ${response.statusText}`);
}

/** As `request`; when the server wants a key, asks for one and tries again until it fits or the person gives up. */
async function requestWithKey(path, options) {
  for (;;) {
    try {
      return await request(path, options);
    } catch (error) {
      if (error.status !== 401 || !(await askForKey(error.message))) throw error;
    }
  }
}

function askForKey(reason) {
  const [dialog, keyForm, input, problem] = ["key-dialog", "key-form", "key", "key-error"].map($);
  problem.textContent = sessionStorage.getItem(KEY) === null ? "" : reason;
  sessionStorage.removeItem(KEY);
  input.value = "";
  return new Promise((resolve) => {
    dialog.onclose = () => {
      resolve(sessionStorage.getItem(KEY) !== null);
      question.focus();
    };
    $("key-cancel").onclick = () => dialog.close();
    keyForm.onsubmit = async (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEY, input.value.trim());
      try {
        await request("/session", { method: "POST" });
        dialog.close();
      } catch (error) {
        sessionStorage.removeItem(KEY);
        problem.textContent = error.message;
        input.select();
      }
    };
    dialog.showModal();
  });
}

/** The JSON of each server-sent event, until `[DONE]`. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(phrases["no-connection"]);
    buffer += value;
    const complete = buffer.split("\n\n");
    buffer = complete.pop();
    for (const event of complete) {
      const data = event.replace(/^data: /, "");
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}

// --- One exchange ---

function show(asked) {
  $("welcome").hidden = true;
  const view = $("exchange").content.cloneNode(true).firstElementChild;
  const heading = view.querySelector(".asked");
  heading.textContent = asked;
  heading.classList.toggle("long", asked.length > 160);
  exchanges.append(view);
  return view;
}

/** Shows what is known of a finished answer: {text, html, sources, nearest, language, stopped, error}. */
function settle(view, answer) {
  const text = view.querySelector(".text");
  if (answer.html) text.innerHTML = answer.html; // made by the server, from Markdown without HTML, links or images
  if (answer.language) text.lang = answer.language;
  showSources(view.querySelector(".sources"), answer);
  const note = view.querySelector(".note");
  note.textContent = answer.error ?? (answer.stopped ? phrases.stopped : "");
  note.classList.toggle("alarm", Boolean(answer.error));
  note.hidden = !note.textContent;
  const copy = view.querySelector(".copy");
  copy.textContent = phrases.copy;
  copy.onclick = () => copyAnswer(copy, answer);
  // Only pages over TLS or on this machine may write to the clipboard.
  view.querySelector(".actions").hidden = !answer.text || !navigator.clipboard;
  view.querySelector(".answer").removeAttribute("aria-busy");
}

/** What the text cites, or what comes closest where nothing was found. */
function showSources(section, { sources = [], nearest = [] }) {
  const found = sources.length > 0;
  const listed = found ? sources : nearest;
  section.hidden = listed.length === 0;
  section.querySelector("h3").textContent = found ? phrases.sources : phrases.nearest;
  const items = listed.map((source) => {
    const item = document.createElement("li");
    const [number, words, link, where] = ["span", "span", "a", "span"].map((tag) => document.createElement(tag));
    [number.className, words.className, where.className] = ["number", "words", "where"];
    number.textContent = found ? source.number : "";
    number.hidden = !found;
    Object.assign(link, { href: source.url, target: "_blank", rel: "noopener noreferrer", dir: "auto" });
    link.textContent = source.title;
    where.append(...source.place.flatMap((part, index) => [index ? " · " : "", isolated(part)]));
    words.append(link, where);
    if (source.restricted) words.append(lock(source.restricted));
    item.append(number, words);
    return item;
  });
  section.querySelector("ol").replaceChildren(...items);
}

/** The lock of a source that not everybody may open; its words are read out, and shown to whoever points at it. */
function lock(label) {
  const element = document.createElement("span");
  element.className = "lock";
  element.textContent = "🔒";
  element.title = label;
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  return element;
}

/** Text whose direction does not disturb what stands beside it. */
function isolated(text) {
  const element = document.createElement("bdi");
  element.textContent = text;
  return element;
}

async function copyAnswer(button, { text, sources = [], nearest = [] }) {
  const line = (mark, { title, url }) => `${mark} ${title} ${new URL(url, location.href)}`;
  const list = [...sources.map((source) => line(`[${source.number}]`, source)), ...nearest.map((one) => line("-", one))];
  await navigator.clipboard.writeText([text, list.join("\n")].filter(Boolean).join("\n\n"));
  button.textContent = phrases.copied;
  announce(phrases.copied);
  setTimeout(() => (button.textContent = phrases.copy), 2000);
}

const announce = (text) => ($("announcer").textContent = text);

/** Whether the end of the page is in view, give or take a few lines; then what is written next is followed. */
const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 120;

const toEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

// --- Asking ---

async function ask(asked) {
  const [view, answer, within, controller] = [show(asked), { role: "assistant", text: "" }, thread, new AbortController()];
  running = controller;
  setRunning(true);
  toEnd();
  try {
    const response = await requestWithKey("/v1/chat/completions", {
      method: "POST",
      signal: controller.signal,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        model: "souffleur",
        stream: true,
        messages: [...within.turns, { role: "user", text: asked }].map(({ role, text }) => ({ role, content: text })),
        souffleur: { thread: within.id },
      }),
    });
    for await (const event of events(response)) take(view, answer, event);
  } catch (error) {
    if (controller.signal.aborted) answer.stopped = true;
    else answer.error = error.message;
  }
  if (within !== thread) return; // a new conversation was started meanwhile
  const follow = atEnd();
  settle(view, answer);
  if (follow) toEnd();
  setRunning(false);
  if (answer.text) remember({ role: "user", text: asked }, answer);
  else if (!question.value) setQuestion(asked);
  announce(answer.error ?? (answer.stopped ? phrases.stopped : `${phrases["answer-ready"]} ${spoken(view)}`));
}

const spoken = (view) => view.querySelector(".text").innerText;

function take(view, answer, event) {
  if (event.error) throw new Error(event.error.message);
  const { status, ...rest } = event.souffleur ?? {};
  if (status) view.querySelector(".status").textContent = status;
  Object.assign(answer, rest);
  answer.text += event.choices?.[0]?.delta.content ?? "";
  if (!rest.html) return;
  const follow = atEnd();
  view.querySelector(".text").innerHTML = rest.html; // as in `settle`
  if (follow) toEnd();
}

function setRunning(on) {
  const hadFocus = document.activeElement === send || document.activeElement === stop;
  send.hidden = on;
  stop.hidden = !on;
  if (hadFocus) question.focus();
}

function setQuestion(text) {
  question.value = text;
  question.style.height = "auto";
  question.style.height = `${question.scrollHeight}px`;
}

// --- The thread ---

function remember(...turns) {
  thread.turns.push(...turns);
  try {
    sessionStorage.setItem(THREAD, JSON.stringify(thread));
  } catch {
    sessionStorage.removeItem(THREAD); // too long for the browser; the server may have it still
  }
}

function startThread() {
  thread = { id: newId(), turns: [] };
  sessionStorage.removeItem(THREAD);
  history.replaceState(null, "", `#${thread.id}`);
  exchanges.replaceChildren();
  running?.abort();
  setRunning(false);
  $("welcome").hidden = false;
  question.focus();
}

/** A random UUID; `crypto.randomUUID` itself is missing on pages that come without TLS from another machine. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

/** The conversation of the address: as this tab remembers it, with its sources, else as the server does. */
async function resume() {
  const id = location.hash.slice(1);
  const kept = JSON.parse(sessionStorage.getItem(THREAD) ?? "null");
  if (!/^[0-9a-f-]{36}$/.test(id)) return startThread();
  if (kept?.id === id) thread = kept;
  else {
    try {
      thread = { id, turns: (await (await requestWithKey(`/threads/${id}`)).json()).turns };
    } catch {
      return startThread();
    }
  }
  let view = null;
  for (const turn of thread.turns) {
    if (turn.role === "user") view = show(turn.text);
    else if (view) settle(view, turn);
  }
  toEnd();
  question.focus();
}

// --- The controls ---

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = question.value.trim();
  if (!asked || !stop.hidden) return;
  setQuestion("");
  ask(asked);
});

question.addEventListener("input", () => setQuestion(question.value));

question.addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses a word; Safari says so by key code 229 only.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !$("key-dialog").open) running?.abort();
});

stop.addEventListener("click", () => running?.abort());
$("new").addEventListener("click", startThread);
addEventListener("hashchange", () => location.hash.slice(1) !== thread.id && location.reload());

resume();

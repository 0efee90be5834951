"use strict";

const $ = (id) => document.getElementById(id);
const { askBelow, maxMegabytes } = document.body.dataset;
const COLOURS = { negative: "vermillion", neutral: "blue", positive: "green" };
const SPARE = ["blue", "vermillion", "green", "purple"];
const FULL = 0.1; // the weight of the strongest shade
const LEAST = 0.005; // what adds less is not marked
const MOST_LISTED = 8; // words, and regions, in numbers
const ROUNDING = 0.05; // by how much the shape of a small copy of a photo may differ

let file = null;
let shownUrl = null;
let asked = null; // the request under way
let answered = null; // the post that the answer on the page is for
let token = sessionStorage.getItem("token");

const points = (share) => Math.abs(share) < 0.0005 ? "0" : `${share < 0 ? "\u2212" : "+"}${Math.abs(100 * share).toFixed(1)}`;

// As in the reports, nothing is rounded to 0% or 100% that is not.
function percent(share) {
  if (share === 0 || share === 1) return `${100 * share}%`;
  if (share < 0.0005) return "<0.1%";
  if (share >= 0.9995) return ">99.9%";
  return `${(100 * share).toFixed(share < 0.0995 || share >= 0.995 ? 1 : 0)}%`;
}

function take(given) {
  const image = given && [...given].find((each) => each.type.startsWith("image/"));
  if (!image) {
    return complain("That is no image: choose a JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF.");
  }
  if (image.size > maxMegabytes * 1e6) {
    return complain(`This photo has ${(image.size / 1e6).toFixed(1)} MB, of at most ${maxMegabytes}.`);
  }
  complain("");
  file = image;
  if (shownUrl) URL.revokeObjectURL(shownUrl);
  shownUrl = URL.createObjectURL(image);
  $("photo").src = shownUrl;
  forget();
  $("empty").hidden = true;
  $("shown").hidden = false;
  $("file").classList.add("taken");
}

function drop() {
  file = null;
  $("file").value = "";
  $("file").classList.remove("taken");
  $("empty").hidden = false;
  $("shown").hidden = true;
  forget();
}

// An answer is dimmed when its post changes; an explanation goes, and what is still to come of the
// former post is not shown.
function forget() {
  if (asked) {
    asked.abort();
    complain("The post has changed: ask again.");
  }
  showRegions([]);
  $("said").classList.add("former");
  $("because").hidden = true;
  $("why").hidden = true;
}

function complain(text) {
  $("fault").textContent = text;
  $("fault").hidden = !text;
}

async function send(post, query, signal) {
  const body = new FormData();
  if (post.text.trim()) body.append("text", post.text);
  if (post.file) body.append("image", post.file);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let response;
  try {
    response = await fetch(`/predict${query}`, { method: "POST", body, headers, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The service cannot be reached: is it still running?");
  }
  const content = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return { detail: response.statusText };
  });
  if (response.ok) return { ...content.answers[0], model: content.model };
  if (response.status === 401) {
    $("secret").hidden = false;
    $("token").focus();
  }
  throw new Error(content.detail);
}

async function run(post, query, show) {
  asked?.abort();
  const mine = new AbortController();
  asked = mine;
  complain("");
  $("answer").setAttribute("aria-busy", "true");
  try {
    show(await send(post, query, mine.signal));
  } catch (error) {
    if (error.name !== "AbortError") complain(error.message);
  } finally {
    if (asked === mine) {
      asked = null;
      $("answer").setAttribute("aria-busy", "false");
    }
  }
}

function bar(name, value, left, width, kind, colour) {
  const row = document.createElement("li");
  const [label, track, number] = ["span", "span", "span"].map((tag) => document.createElement(tag));
  const fill = document.createElement("i");
  label.textContent = label.title = name;
  number.textContent = value;
  track.className = "track";
  track.setAttribute("aria-hidden", "true");
  fill.className = kind;
  fill.style.left = `${100 * left}%`;
  fill.style.width = `${100 * width}%`;
  if (colour) fill.style.setProperty("--of", `var(--${colour})`);
  track.append(fill);
  row.append(label, track, number);
  return row;
}

function showAnswer(answer) {
  const labels = Object.keys(answer).filter((key) => key.startsWith("p_"));
  const names = labels.map((key) => key.slice(2));
  const colour = (name) => COLOURS[name] ?? SPARE[names.indexOf(name) % SPARE.length];
  $("predicted").textContent = answer.predicted;
  document.querySelector(".verdict").style.setProperty("--of", `var(--${colour(answer.predicted)})`);
  $("sure").textContent = `${percent(answer.confidence)} sure`;
  $("person").hidden = answer.confidence >= askBelow;
  $("labels").replaceChildren(
    ...labels.map((key) => bar(key.slice(2), percent(answer[key]), 0, answer[key], "", colour(key.slice(2)))),
  );
  showShares(answer);
  $("noted").hidden = !answer.problems;
  $("problems").textContent = answer.problems;
  $("because").hidden = true;
  showRegions([]);
  $("why").hidden = false;
  $("model").textContent = answer.model ? `Model ${answer.model}` : "";
  $("waiting").hidden = true;
  $("said").classList.remove("former");
  $("said").hidden = false;
  if (matchMedia("(max-width: 760px)").matches) {
    $("answer").scrollIntoView({ behavior: "smooth", block: "start" });
  }
}

function showShares(answer) {
  $("shares").hidden = answer.decided_by == null;
  if (answer.decided_by == null) return;
  const parts = [["Text", answer.text_contribution], ["Photo", answer.image_contribution]];
  $("added").replaceChildren(
    ...parts.map(([name, share]) =>
      bar(name, points(share), share < 0 ? 0.5 + share / 2 : 0.5, Math.abs(share) / 2, share < 0 ? "against" : ""),
    ),
  );
  const who = { text: "The text", image: "The photo", both: "Both equally", neither: "Neither" };
  $("decided").textContent =
    `In points of the probability of ${answer.predicted}. ${who[answer.decided_by]} decided.`;
}

function showExplanation(answer) {
  const { explanation } = answer;
  const letters = [...explanation.text]; // places count characters, not UTF-16 units
  const pieces = [];
  let at = 0;
  for (const { start, end, weight } of explanation.words) {
    pieces.push(letters.slice(at, start).join(""));
    pieces.push(marked(letters.slice(start, end).join(""), weight));
    at = end;
  }
  pieces.push(letters.slice(at).join(""));
  $("words").replaceChildren(...(explanation.words.length ? pieces : ["(no text)"]));
  $("against-what").textContent = `${answer.predicted}.`;
  if (explanation.regions.length) $("against-what").textContent += " The photo is shaded likewise.";
  showAsSeen(explanation);
  showRegions(explanation.regions);
  $("of-what").textContent = answer.predicted;
  list("word-weights", explanation.words, ({ start, end }) => letters.slice(start, end).join(""));
  list("region-weights", explanation.regions, placed(explanation.regions));
  $("numbers").open = false;
  $("why").hidden = true;
  $("because").hidden = false;
}

function marked(word, weight) {
  if (Math.abs(weight) < LEAST) return word;
  const mark = document.createElement("mark");
  mark.textContent = word;
  mark.title = `${points(weight)} points`;
  mark.className = weight > 0 ? "for" : "against";
  mark.style.backgroundColor = shade(weight);
  return mark;
}

function list(id, parts, name) {
  const strongest = [...parts].sort((one, other) => Math.abs(other.weight) - Math.abs(one.weight));
  $(id).hidden = !parts.length;
  $(id).replaceChildren(
    ...strongest.slice(0, MOST_LISTED).map((part) => {
      const item = document.createElement("li");
      item.textContent = `${name(part)}: ${points(part.weight)}`;
      return item;
    }),
  );
}

// Says where a region lies among all of them.
function placed(regions) {
  const edges = (side) => [...new Set(regions.map(({ box }) => box[side]))].sort((a, b) => a - b);
  const [columns, rows] = [edges(0), edges(1)];
  return ({ box: [left, top] }) =>
    `region of the photo, row ${rows.indexOf(top) + 1}, column ${columns.indexOf(left) + 1}`;
}

// The model sees a very long photo cut, and photos that the browser cannot show.
function showAsSeen({ photo }) {
  const [image, seen] = [$("photo"), new Image()];
  const { src } = image;
  const ratio = ({ naturalWidth, naturalHeight }) => naturalWidth / naturalHeight; // NaN of none
  seen.onload = () => {
    const isAlike = Math.abs(ratio(image) / ratio(seen) - 1) < ROUNDING;
    if (image.src === src && !isAlike) image.src = photo;
  };
  if (photo) seen.src = photo;
}

function showRegions(regions) {
  const tiles = regions.filter(({ weight }) => Math.abs(weight) >= LEAST);
  $("frame").classList.toggle("explained", tiles.length > 0);
  $("regions").replaceChildren(
    ...tiles.map(({ box: [left, top, right, bottom], weight }) => {
      const tile = document.createElement("div");
      tile.title = `${points(weight)} points`;
      tile.className = weight > 0 ? "for" : "against";
      const edges = { left, top, width: right - left, height: bottom - top };
      for (const [edge, share] of Object.entries(edges)) tile.style[edge] = `${100 * share}%`;
      tile.style.backgroundColor = shade(weight);
      tile.style.borderColor = colour(weight, strength(weight));
      return tile;
    }),
  );
}

function strength(weight) {
  return Math.min(Math.abs(weight) / FULL, 1);
}

function colour(weight, opacity) {
  return weight > 0 ? `rgb(0 114 178 / ${opacity})` : `rgb(213 94 0 / ${opacity})`;
}

function shade(weight) {
  return colour(weight, 0.08 + 0.42 * strength(weight));
}

$("post").addEventListener("submit", (event) => {
  event.preventDefault();
  if ($("token").value) {
    const given = $("token").value.trim();
    $("token").value = "";
    if (!/^[!-~]+$/.test(given)) { // no header can hold other characters
      $("token").focus();
      return complain("That holds more than a token's letters, digits and signs: copy it anew.");
    }
    token = given;
    sessionStorage.setItem("token", token);
    $("secret").hidden = true;
  }
  const post = { text: $("text").value, file };
  if (!post.text.trim() && !post.file) return complain("Write a text or choose a photo first.");
  answered = post;
  run(post, "", showAnswer);
});
$("why").addEventListener("click", () => run(answered, "?explain=true", (answer) => {
  showExplanation(answer);
  $("answer").focus({ preventScroll: true });
}));
$("clear").addEventListener("click", () => {
  drop();
  complain("");
  $("text").value = "";
  $("said").hidden = true;
  $("waiting").hidden = false;
  $("text").focus();
});
$("remove").addEventListener("click", () => {
  drop();
  $("file").focus();
});
$("file").addEventListener("change", () => $("file").files.length && take($("file").files));
$("text").addEventListener("input", forget);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("post").requestSubmit();
});
document.addEventListener("paste", (event) => {
  const { files, types } = event.clipboardData;
  // Office programs add a picture of what was copied; a file comes with its name as plain text.
  const isWriting = types.includes("text/plain") && types.includes("text/html");
  if (!files.length || (event.target === $("text") && isWriting)) return;
  event.preventDefault();
  take(files);
});
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const isFile = event.dataTransfer.types.includes("Files");
    if (event.target === $("text") && !isFile) return; // words that are dragged into the field
    event.preventDefault();
    $("drop").classList.toggle("over", name === "dragover");
    if (name === "drop") take(event.dataTransfer.files);
  });
}

"use strict";
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const given = Object.fromEntries(facts.posts.map((post) => [post.guid, post.tag]));
  const place = `second look ${facts.data} ${facts.version}`;
  let changed = {};
  try {
    changed = JSON.parse(localStorage.getItem(place) ?? "{}");
  } catch {
    // Some browsers keep nothing for pages that are files.
  }

  const show = () => {
    const count = Object.keys(changed).length;
    document.getElementById("count").textContent =
      count === 0 ? "no tag changed" : count === 1 ? "1 tag changed" : `${count} tags changed`;
    for (const card of document.querySelectorAll("article[data-guid]")) {
      const guid = card.dataset.guid;
      card.classList.toggle("changed", guid in changed);
      for (const choice of card.querySelectorAll("input")) {
        choice.checked = choice.value === (changed[guid] ?? given[guid]);
      }
    }
    try {
      localStorage.setItem(place, JSON.stringify(changed));
    } catch {
      // As above.
    }
  };

  // Earlier corrections stay, unless they are changed again; what is as in the listing is none.
  const corrections = () =>
    Object.entries({ ...facts.corrections, ...changed }).filter(
      ([guid, tag]) => tag !== facts.originals[guid],
    );

  const download = (name, kind, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  const chosen = (tag) => [
    { from_name: "tag", to_name: "text", type: "choices", value: { choices: [tag] } },
  ];

  const task = (guid, corrected) => {
    const post = facts.posts.find((post) => post.guid === guid);
    const data = { guid, given_tag: facts.originals[guid] };
    if (!post) return { data, annotations: [{ result: chosen(corrected) }] };
    const image = document.querySelector(`[data-guid="${CSS.escape(guid)}"] img`)?.src;
    const predictions = Object.entries(post.answers).map(([model, shares]) => {
      const [tag, score] = Object.entries(shares).sort((one, other) => other[1] - one[1])[0];
      return { model_version: model, score, result: chosen(tag) };
    });
    return {
      data: { ...data, text: post.text, ...(image ? { image } : {}) },
      predictions,
      ...(corrected === undefined ? {} : { annotations: [{ result: chosen(corrected) }] }),
    };
  };

  document.addEventListener("change", (event) => {
    const guid = event.target.closest("article[data-guid]")?.dataset.guid;
    if (guid === undefined) return;
    if (event.target.value === given[guid]) delete changed[guid];
    else changed[guid] = event.target.value;
    show();
  });
  document.getElementById("csv").addEventListener("click", () => {
    const rows = [["guid", "tag"], ...corrections()];
    download("corrections.csv", "text/csv", rows.map((row) => row.map(cell).join(",") + "\n").join(""));
  });
  document.getElementById("tasks").addEventListener("click", () => {
    const corrected = Object.fromEntries(corrections());
    const guids = new Set([...facts.posts.map((post) => post.guid), ...Object.keys(corrected)]);
    const tasks = [...guids].map((guid) => task(guid, corrected[guid]));
    download("corrections.json", "application/json", JSON.stringify(tasks, null, 1));
  });
  document.getElementById("reset").addEventListener("click", () => {
    if (Object.keys(changed).length && confirm("Forget what you have changed on this page?")) {
      changed = {};
      show();
    }
  });
  show();
})();

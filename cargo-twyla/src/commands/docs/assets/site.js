// The search: a combobox over a list that is loaded at the first search. WAI-ARIA's pattern, with a list of links.
'use strict';
(() => {
  const root = document.documentElement.dataset.root ?? '';
  const input = document.getElementById('q');
  const list = document.getElementById('found');
  const said = document.getElementById('said');
  const MOST = 20;
  const KINDS = ['context', 'event', 'RPC'];
  let entries; // once they are loaded
  let loading = false;
  let active = -1;

  const load = () => {
    if (entries || loading) return;
    loading = true;
    const script = document.createElement('script');
    script.src = `${root}search.js`;
    script.onload = () => {
      entries = (window.twylaIndex ?? []).map(([kind, name, summary, fields]) => ({
        kind, name, summary, fields,
        inName: name.toLowerCase(), inSummary: summary.toLowerCase(), inFields: fields.toLowerCase(),
      }));
      search();
    };
    script.onerror = () => { said.textContent = 'The list of contracts could not be loaded.'; };
    document.head.append(script);
  };

  const page = ({ kind, name }) =>
    root + (kind === 0 ? 'context.html' : `${kind === 1 ? 'events' : 'rpc'}/${encodeURIComponent(name)}.html`);

  // how well a word is met by an entry; 0 where it isn't
  const score = (entry, word) => {
    const at = entry.inName.indexOf(word);
    if (at >= 0) {
      if (entry.inName === word) return 1000;
      const before = at > 0 ? entry.inName[at - 1] : '.';
      const begins = before === '.' || before === '_' || before === '-';
      const ends = entry.inName.length === at + word.length;
      return (begins ? 300 : 100) + (ends && begins ? 150 : 0) - Math.min(entry.inName.length, 90);
    }
    const field = entry.inFields.indexOf(word);
    if (field >= 0) {
      const whole = ` ${entry.inFields} `.includes(` ${word} `);
      return whole ? 60 : 30;
    }
    return entry.inSummary.includes(word) ? 20 : 0;
  };

  // a text with what was met in it marked; as text, whatever it is
  const marked = (parent, text, words) => {
    const lower = text.toLowerCase();
    let at = 0;
    while (at < text.length) {
      let next = -1;
      let length = 0;
      for (const word of words) {
        const found = lower.indexOf(word, at);
        if (found >= 0 && (next < 0 || found < next)) [next, length] = [found, word.length];
      }
      if (next < 0 || lower.length !== text.length) break;
      parent.append(text.slice(at, next));
      const mark = document.createElement('mark');
      mark.textContent = text.slice(next, next + length);
      parent.append(mark);
      at = next + length;
    }
    parent.append(text.slice(at));
  };

  const option = (entry, words, index) => {
    const link = document.createElement('a');
    link.href = page(entry);
    link.id = `found-${index}`;
    link.tabIndex = -1;
    link.setAttribute('role', 'option');
    link.setAttribute('aria-selected', 'false');
    const head = document.createElement('span');
    head.className = 'hit';
    marked(head, entry.name, words);
    const kind = document.createElement('span');
    kind.className = 'badge quiet';
    kind.textContent = KINDS[entry.kind];
    link.append(head, kind);
    const fields = entry.fields.split(' ').filter((field) => words.some((word) => field.toLowerCase().includes(word)));
    const below = document.createElement('span');
    below.className = 'faint';
    if (fields.length && !words.every((word) => entry.inName.includes(word))) {
      below.append('has ');
      marked(below, fields.slice(0, 6).join(', '), words);
    } else {
      marked(below, entry.summary, words);
    }
    link.append(below);
    return link;
  };

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };

  const search = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!entries || words.length === 0) {
      close();
      said.textContent = '';
      return;
    }
    const met = [];
    for (const entry of entries) {
      let sum = 0;
      for (const word of words) {
        const points = score(entry, word);
        if (points === 0) { sum = 0; break; }
        sum += points;
      }
      if (sum > 0) met.push([sum, entry]);
    }
    met.sort((a, b) => b[0] - a[0] || (a[1].name < b[1].name ? -1 : 1));
    const shown = met.slice(0, MOST);
    list.replaceChildren(...shown.map(([, entry], index) => option(entry, words, index)));
    if (shown.length === 0) {
      const none = document.createElement('p');
      none.textContent = 'Nothing was found.';
      list.append(none);
    }
    list.hidden = false;
    list.scrollTop = 0;
    active = -1;
    input.setAttribute('aria-expanded', String(shown.length > 0));
    input.removeAttribute('aria-activedescendant');
    const count = met.length === 1 ? '1 is found' : `${met.length} are found`;
    said.textContent = met.length > MOST ? `${count}, of which the first ${MOST} are shown` : count;
  };

  const move = (to) => {
    const options = list.querySelectorAll('[role=option]');
    if (options.length === 0) return;
    options[active]?.setAttribute('aria-selected', 'false');
    active = (to + options.length) % options.length;
    options[active].setAttribute('aria-selected', 'true');
    options[active].scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', options[active].id);
  };

  input.addEventListener('focus', load);
  input.addEventListener('input', () => { load(); search(); });
  input.addEventListener('keydown', (event) => {
    const options = list.querySelectorAll('[role=option]').length;
    if (event.key === 'ArrowDown') {
      if (list.hidden) search(); else move(active + 1);
    } else if (event.key === 'ArrowUp' && !list.hidden) {
      move(active < 0 ? options - 1 : active - 1);
    } else if (event.key === 'Enter' && !list.hidden && options > 0) {
      list.querySelectorAll('[role=option]')[Math.max(active, 0)].click();
    } else if (event.key === 'Escape') {
      if (list.hidden) input.value = '';
      close();
    } else {
      return;
    }
    event.preventDefault();
  });
  document.addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [contenteditable]');
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
  document.addEventListener('click', (event) => {
    if (event.target instanceof Node && !list.contains(event.target) && event.target !== input) close();
  });
  // what was left in the field by going back is looked for again
  if (document.activeElement === input) load();
})();

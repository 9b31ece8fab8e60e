// @ts-check
// Keys of the panel. A key that types something is left to the field it is typed into.

/**
 * @typedef {{panel: import('./panel.js').Panel, list: import('./list_view.js').ListView,
 *   search: import('./search_view.js').SearchView, thread: import('./thread_view.js').ThreadView,
 *   details: import('./details_view.js').DetailsView, menu: import('./menu_view.js').MenuView}} Views
 */

/** @param {Views} views @param {() => boolean} active whether somebody is logged in */
export function bindKeyboard(views, active) {
  document.addEventListener('keydown', (event) => {
    if (!active() || event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]')) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const handled = event.key === 'Escape' ? goBack(views, target) : !isField(target) && command(views, event.key, target);
    if (handled) event.preventDefault();
  });
}

/** @param {Views} views @param {string} key @param {HTMLElement} target */
function command({ list, search, thread, menu }, key, target) {
  const inList = target.closest('#scroller') !== null;
  switch (key) {
    case '/':
      search.focus();
      return true;
    case '?':
      menu.help();
      return true;
    case 'j':
      list.move(1);
      return true;
    case 'k':
      list.move(-1);
      return true;
    case 'r':
      thread.focus();
      return true;
    case 'ArrowDown':
    case 'ArrowUp':
      if (inList) list.move(key === 'ArrowDown' ? 1 : -1);
      return inList;
    default:
      return false;
  }
}

/**
 * One step at a time: what lies on top first.
 * @param {Views} views @param {HTMLElement} target
 */
function goBack({ panel, list, search, details, menu }, target) {
  if (menu.close() || details.close()) return true;
  if (target.id === 'search') {
    if (!search.clear()) list.focus();
    return true;
  }
  if (panel.route.view !== 'inbox') {
    panel.go({ view: 'inbox' });
    return true;
  }
  if (panel.route.conversation === null) return search.clear();
  // On a wide screen the way back from the answer is the list; a second step closes the conversation.
  const wide = matchMedia('(min-width: 720px)').matches;
  if (wide && target.closest('#thread')) {
    list.focus();
    return true;
  }
  panel.go({ conversation: null });
  requestAnimationFrame(() => requestAnimationFrame(() => list.focus()));
  return true;
}

/** @param {HTMLElement} target */
function isField(target) {
  return target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/u.test(target.tagName);
}

// @ts-check
// Elements that admin.html promises to hold.

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`admin.html lacks #${id}`);
  return /** @type {T} */ (found);
}

/** Writes only what differs: an unchanged text must not make a live region speak again. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// @ts-check
// Nodes of the page. Whatever people wrote becomes text, never markup.

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `class`, attributes, and listeners as `onclick`
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** @param {string} id */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

const TAGS = { bold: 'strong', italic: 'em', underline: 'u', strikethrough: 's', code: 'code', pre: 'pre', blockquote: 'blockquote' };

/**
 * A text with what stands out in it. Offsets count UTF-16 code units, as strings here do.
 * @param {string} text
 * @param {{type: string, offset: number, length: number, url?: string}[]} [entities]
 * @returns {Node[]}
 */
export function formatted(text, entities = []) {
  const nodes = [];
  let at = 0;
  const sorted = [...entities].sort((one, other) => one.offset - other.offset || other.length - one.length);
  for (const [index, entity] of sorted.entries()) {
    const end = entity.offset + entity.length;
    if (entity.offset < at) continue;
    nodes.push(...linked(text.slice(at, entity.offset)));
    const within = sorted.slice(index + 1)
      .filter((other) => other.offset >= entity.offset && other.offset + other.length <= end)
      .map((other) => ({ ...other, offset: other.offset - entity.offset }));
    nodes.push(wrapped(entity, formatted(text.slice(entity.offset, end), within)));
    at = end;
  }
  nodes.push(...linked(text.slice(at)));
  return nodes;
}

function wrapped(entity, children) {
  if (entity.type === 'text_link' && /^https?:/.test(entity.url ?? '')) return link(entity.url, ...children);
  if (entity.type === 'bot_command') return el('span', { class: 'command' }, ...children);
  return el(TAGS[entity.type] ?? 'span', {}, ...children);
}

/** @returns {HTMLElement} */
function link(url, ...children) {
  return el('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, ...children);
}

/** Addresses become links. */
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,:;!?)\]])/).filter(Boolean)
    .map((part) => (/^https?:\/\//.test(part) ? link(part, part) : document.createTextNode(part)));
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** @param {number} seconds since 1970 */
export function time(seconds) {
  return clock.format(new Date(seconds * 1000));
}

/** A person's name as Telegram composes it. */
export function nameOf(message) {
  if (message.sender_chat) return message.sender_chat.title ?? 'Anonymous';
  return [message.from?.first_name, message.from?.last_name].filter(Boolean).join(' ');
}

/** Makes the children of a node these, leaving those alone that stand where they belong. */
export function arrange(parent, nodes) {
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
  while (parent.children.length > nodes.length) parent.lastElementChild.remove();
}

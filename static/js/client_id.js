// @ts-check

/** @returns {string} an id for a message of ours: unique, 1 to 64 of [A-Za-z0-9_-] */
export function newClientId() {
  // randomUUID exists only in secure contexts; a test on plain http in a LAN is none.
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

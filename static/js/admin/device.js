// @ts-check
// Which browser on which system, as far as a User-Agent tells. A guess for people, never a decision.

/** Order matters: Edge and Opera also call themselves Chrome, Chrome also calls itself Safari. */
const BROWSERS = [
  [/\bEdg(?:e|A|iOS)?\//u, 'Edge'],
  [/\bOPR\//u, 'Opera'],
  [/\bSamsungBrowser\//u, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//u, 'Firefox'],
  [/\b(?:Chrome|CriOS|Chromium|HeadlessChrome)\//u, 'Chrome'],
  [/\bSafari\//u, 'Safari'],
];
const SYSTEMS = [
  [/\b(?:iPhone|iPad|iPod)\b/u, 'iOS'],
  [/\bAndroid\b/u, 'Android'],
  [/\bWindows\b/u, 'Windows'],
  [/\bCrOS\b/u, 'ChromeOS'],
  [/\bMac OS X\b/u, 'macOS'],
  [/\bLinux\b/u, 'Linux'],
];

/** @param {unknown} userAgent @returns {string[]} */
export function deviceParts(userAgent) {
  const text = typeof userAgent === 'string' ? userAgent.slice(0, 512) : '';
  return [BROWSERS, SYSTEMS].flatMap((table) => {
    const found = table.find(([pattern]) => /** @type {RegExp} */ (pattern).test(text));
    return found ? [/** @type {string} */ (found[1])] : [];
  });
}

/** @param {unknown} address @returns {URL | null} only what may safely become a link */
export function webAddress(address) {
  try {
    const url = new URL(String(address));
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : null;
  } catch {
    return null;
  }
}

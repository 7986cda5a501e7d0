// @ts-check

/**
 * The tracker: posts a hit for every page that is seen, and for what the page itself reports.
 *
 * It stores nothing in the browser, speaks to one origin, makes no global of its own, and does not
 * throw into the page. Every visitor pays for every byte: what was left out, and what each part
 * costs, stands in README.md. Plain names here are free, the build renames them.
 *
 * One hit as posted: Plausible's public event shape, and `k` and `w` of our own.
 * @typedef {object} Hit
 * @property {string} n  `pageview`, `engagement`, or the name of a custom event
 * @property {string} u  address of the page
 * @property {string} d  the site, or several with commas between
 * @property {number} w  width of the viewport, in CSS pixels
 * @property {string} k  about 100 random bits; a repeat of them is dropped by the server
 * @property {string} [r]  pageview: where the visitor came from; within one document, the page before
 * @property {number} [e]  engagement: milliseconds the page was visible since it was last shown
 *
 * What a page may say about its event. It is sent as it is, so `u` wins over the page's address.
 * @typedef {object} Options
 * @property {Record<string, string | number | boolean>} [props]
 * @property {{currency: string, amount: number | string}} [revenue]
 * @property {boolean} [interactive]  false if the event must not end a bounce
 * @property {string} [u]
 * @property {(answer: {status?: number}) => void} [callback]  called when the first try is over
 *
 * The arguments of one call of the page's stub; ours look the same.
 * @typedef {[name: string, options?: Options & Partial<Hit>]} Call
 */
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const settings = script.dataset;
  if (
    // A second tag must not hook twice. The mark stands where no id or name of an element can be.
    /** @type {any} */ (history).tallyhouse ||
    // Developers and robots do not visit. "" is the host of file: pages.
    (settings.local == null &&
      (navigator.webdriver || /^(localhost$|127\.|.::1|$)/.test(location.hostname)))
  )
    return;
  /** @type {any} */ (history).tallyhouse = 1;

  /** The page that was counted last; empty before the first. @type {Partial<Location>} */
  let last = {};
  /** When it was last shown; undefined while hidden. @type {any} */
  let since;

  /** Everything up to the fetch runs at once, so that a page being left still posts. */
  const send = async (/** @type {Call} */ [n, options]) => {
    const api = settings.api || new URL("/api/event", script.src);
    const body = JSON.stringify({
      n,
      u: location.href,
      d: settings.domain || location.hostname,
      w: innerWidth,
      k: Math.random() + "," + Math.random(),
      ...options,
    });
    let answer = /** @type {Response} */ ({});
    /** Seconds before the second try; none if the server does not ask for one. */
    let wait = 2;
    try {
      // Block lists know beacons best, so fetch goes first. A string is text/plain: no preflight.
      answer = await fetch(api, { method: "POST", body, keepalive: true });
      wait = /** @type {any} */ (answer.headers.get("retry-after"));
    } catch {}
    if (wait) setTimeout(() => navigator.sendBeacon(api, body), wait * 1e3);
    options?.callback?.(answer);
  };

  /** Compares what is shown with what was counted; any event may call it at any time. */
  const look = (/** @type {{persisted?: boolean}} */ event) => {
    const now = performance.now();
    // Paths, as frameworks push and replace the same one for their own state. Back from the
    // back/forward cache (persisted), the same path is a new view.
    const moved = event.persisted || last.pathname != location.pathname;
    // A prerendered or background page is a view once somebody sees it. Chromium shows a page
    // before it stops to call it prerendered, and the server drops what is posted until then.
    const unseen = document.hidden || /** @type {any} */ (document).prerendering;
    if (moved || unseen) {
      // A page back from the cache is visible for an instant before it says that it is back.
      if (now - since > 99) send(["engagement", { u: last.href, e: (now - since) | 0 }]);
      since = undefined;
    }
    if (!unseen) {
      since ||= now;
      if (moved) {
        send(["pageview", { r: last.href || document.referrer }]);
        // Only now, as events of a visit without a view have no source. The page's stub stays.
        if (!last.href)
          ["tallyhouse", "plausible"].map((name) => {
            const stub = /** @type {any} */ (window)[name] || {};
            // Both names may be one thing, whose queue is then ours already.
            stub.q?.map?.(send);
            stub.q = { push: send };
          });
        last = { ...location };
      }
    }
  };

  [
    // This order is the one that packs smallest.
    "pageshow",
    "prerenderingchange",
    "visibilitychange",
    "pushState",
    "replaceState",
    "popstate",
  ].map((/** @type {any} */ name) => {
    const original = /** @type {any} */ (history)[name];
    // On the window, capturing: events of the document pass here, bubbling or not.
    addEventListener(name, look, true);
    if (original)
      /** @type {any} */ (history)[name] = (/** @type {any} */ ...state) => {
        original.apply(history, state);
        look({});
      };
  });
  look({});
})();

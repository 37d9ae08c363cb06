/** Waits longer each time, up to 8 s, with some chance in it: a thousand readers should not come back at once. */
export class Backoff {
  #next = 250;

  reset() { this.#next = 250; }

  /**
   * Cut short when the network comes back, and by the signal.
   *
   * @param {AbortSignal} signal
   * @param {number | null} [atLeast] seconds, where the server named them
   */
  wait(signal, atLeast) {
    const delay = Math.max((atLeast ?? 0) * 1000, this.#next) * (0.75 + Math.random() / 2);
    this.#next = Math.min(this.#next * 2, 8000);
    return /** @type {Promise<void>} */ (new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(go, delay);
      function go() {
        clearTimeout(timer);
        removeEventListener("online", go);
        signal.removeEventListener("abort", go);
        resolve();
      }
      addEventListener("online", go);
      signal.addEventListener("abort", go);
    }));
  }
}

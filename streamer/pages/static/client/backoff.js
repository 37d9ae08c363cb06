/** Waits longer each time, up to 8 s. Delays are random, so that many clients do not reconnect at the same moment. */
export class Backoff {
  #next = 250;

  reset() { this.#next = 250; }

  /**
   * Returns early when the network is back, and on the signal.
   *
   * @param {AbortSignal} signal
   * @param {number | null} [atLeast] seconds, if the server gave a time
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

/**
 * An EventTarget whose events are CustomEvents with a typed `detail`.
 *
 * @template {object} Details maps each event type to its detail
 */
export class Events extends EventTarget {
  /**
   * @template {keyof Details & string} Type
   * @param {Type} type
   * @param {((event: CustomEvent<Details[Type]>) => void) | EventListenerObject | null} listener
   * @param {AddEventListenerOptions | boolean} [options]
   */
  addEventListener(type, listener, options) {
    super.addEventListener(type, /** @type {EventListener | null} */ (listener), options);
  }

  /**
   * @template {keyof Details & string} Type
   * @param {Type} type
   * @param {((event: CustomEvent<Details[Type]>) => void) | EventListenerObject | null} listener
   * @param {EventListenerOptions | boolean} [options]
   */
  removeEventListener(type, listener, options) {
    super.removeEventListener(type, /** @type {EventListener | null} */ (listener), options);
  }

  /**
   * @protected
   * @template {keyof Details & string} Type
   * @param {Type} type
   * @param {Details[Type]} detail
   */
  emit(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

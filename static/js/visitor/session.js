// @ts-check
// What this browser keeps of the visitor's conversation. All tabs of the site share it.

/** @typedef {{conversation_id: string, resume_token: string, visitor_name: string, max_message_len: number}} Session */
/** @typedef {import('../conversation.js').Unconfirmed} Unconfirmed */

/** @param {ReturnType<typeof import('../storage.js').storage>} kept */
export function visitorSession(kept) {
  /** @returns {Record<string, Unconfirmed>} */
  const unconfirmed = () => {
    const stored = kept.get('unconfirmed', {});
    return typeof stored === 'object' && !Array.isArray(stored) ? stored : {};
  };

  return {
    /** @returns {Session | null} */
    load() {
      const stored = kept.get('session');
      const complete = typeof stored?.conversation_id === 'string' && typeof stored.resume_token === 'string';
      return complete ? stored : null;
    },

    /** @param {Session} session @returns {boolean} */
    save: (session) => kept.set('session', session),

    forget() {
      kept.remove('session');
      kept.remove('unconfirmed');
    },

    /** Another tab joined, or forgot the conversation. @param {() => void} listener */
    onChange: (listener) => kept.onChange('session', listener),

    /** @returns {Unconfirmed[]} in the order they were written */
    unconfirmed: () => Object.values(unconfirmed())
      .filter((message) => typeof message?.client_id === 'string' && typeof message.content === 'string')
      .sort((a, b) => String(a.created_at).localeCompare(String(b.created_at))),

    /**
     * Read, changed and written at once, so that the tabs do not overwrite each other's messages.
     * @param {Unconfirmed} message
     */
    keepUnconfirmed: (message) => kept.set('unconfirmed', { ...unconfirmed(), [message.client_id]: message }),

    /** @param {string} clientId */
    forgetUnconfirmed(clientId) {
      const { [clientId]: gone, ...others } = unconfirmed();
      if (gone) kept.set('unconfirmed', others);
    },
  };
}

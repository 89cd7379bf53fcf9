import type { MaybePromise } from "../contract/adapter.ts";

/**
 * Keeps a view's operations in call order while a value is validated asynchronously: an operation is issued once the
 * validations of those before it are over. It costs nothing while no validation is pending.
 */
export class ValidationQueue {
  /** Resolves when every operation called so far has been issued. */
  #last: Promise<void> | undefined;
  /** The validation that the operation being issued has begun. */
  #validation: Promise<unknown> | undefined;

  /** Issues an operation: now, or after those before it. */
  issue<T>(run: () => MaybePromise<T>): MaybePromise<T> {
    if (this.#last === undefined) {
      const result = run();
      const validation = this.#taken();
      if (validation !== undefined) this.#append(validation);
      return result;
    }
    const result = this.#last.then(() => {
      const issued = run();
      return { issued, validation: this.#taken() };
    });
    this.#append(result.then(({ validation }) => validation));
    return result.then(({ issued }) => issued);
  }

  /** Called by an operation that goes on only after a validation. */
  hold(validation: Promise<unknown>): void {
    this.#validation = validation;
  }

  /** Resolves when every operation called so far has been issued; `undefined` if all have been. */
  issued(): Promise<void> | undefined {
    return this.#last;
  }

  #taken(): Promise<unknown> | undefined {
    const validation = this.#validation;
    this.#validation = undefined;
    return validation;
  }

  #append(issuing: Promise<unknown>): void {
    const last: Promise<void> = issuing.then(
      () => this.#done(last),
      () => this.#done(last),
    );
    this.#last = last;
  }

  #done(last: Promise<void>): void {
    if (this.#last === last) this.#last = undefined;
  }
}

export function openApiProblems(document: object): Promise<unknown>
export function validatorOf(
  document: object,
  operation: { readonly method: string; readonly path: string; readonly status: string },
): (body: unknown) => string[]

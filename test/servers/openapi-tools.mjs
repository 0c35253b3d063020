// Public tools that read an OpenAPI document.
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'

/** Undefined where the document is one. */
export async function openApiProblems(document) {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)))
  return valid ? undefined : errors
}

/** Checks replies of one operation; answers what is wrong with one. */
export function validatorOf(document, { method, path, status }) {
  const { content } = document.paths[path][method].responses[status]
  const [{ schema }] = Object.values(content)
  const ajv = new Ajv2020({ allErrors: true, strict: false })
  const check = ajv.compile({ ...schema, components: document.components })
  return (body) =>
    check(body) ? [] : check.errors.map(({ instancePath, message }) => `${instancePath} ${message}`)
}

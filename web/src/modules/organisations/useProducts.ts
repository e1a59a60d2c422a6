import { type Ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { useApi } from '@/api/client'
import { fetchProducts } from './api'

export interface UseProductsReturn {
  /** Every product this server has; empty while it is asked. */
  products: Readonly<Ref<readonly string[]>>
  productName: (id: string) => string
}

export function useProducts(): UseProductsReturn {
  const { t, te } = useI18n()
  const products = shallowRef<readonly string[]>([])
  fetchProducts(useApi()).then((known) => (products.value = known)).catch(() => undefined)

  // A product that is newer than the texts is called by its id.
  function productName(id: string): string {
    const key = `organisations.product.${id}`
    return te(key) ? t(key) : id
  }
  return { products, productName }
}

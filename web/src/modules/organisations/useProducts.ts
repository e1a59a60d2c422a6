import { defineStore } from 'pinia'
import { computed, type ComputedRef, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { useApi } from '@/api/client'
import { fetchProducts } from './api'

/** The products of the server, asked for once: they change with its build only. */
const useProductStore = defineStore('products', () => {
  const api = useApi()
  const products = shallowRef<readonly string[]>([])
  let asked: Promise<void> | undefined

  function load() {
    asked ??= fetchProducts(api).then((known) => void (products.value = known)).catch(() => void (asked = undefined))
  }
  return { products, load }
})

export interface UseProductsReturn {
  /** Every product this server has; empty while it is asked. */
  products: ComputedRef<readonly string[]>
  productName: (id: string) => string
}

export function useProducts(): UseProductsReturn {
  const { t, te } = useI18n()
  const store = useProductStore()
  store.load()

  // A product that is newer than the texts is called by its id.
  function productName(id: string): string {
    const key = `organisations.product.${id}`
    return te(key) ? t(key) : id
  }
  return { products: computed(() => store.products), productName }
}

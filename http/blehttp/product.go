package blehttp

import (
	"mybeacon/engine/modules/ble"
	shell "mybeacon/http"
)

// Product returns the product.
func Product() shell.Product {
	m := ble.New()
	return shell.Product{Module: m, Routes: func(s *shell.Server, d shell.Devices) { Register(s, m, d) }}
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	_ "modernc.org/sqlite"

	"example.com/shop/catalogue"
)

// stock is the database.
type stock struct {
	db        *sql.DB
	reports   *sql.DB // a pool of its own with a single connection: reports shall not disturb
	byProduct *sql.Stmt
}

const schema = `
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER,
	left INTEGER CONSTRAINT enough_in_stock CHECK (left >= 0));
CREATE TABLE carts (cart INTEGER, product INTEGER);
CREATE TABLE orders (customer TEXT, product INTEGER, count INTEGER);
INSERT INTO products VALUES (1, 'teapot', 1800, 500), (2, 'kettle', 3500, 500), (3, 'cup', 700, 500);
INSERT INTO carts VALUES (42, 3), (42, 1), (8, 2);
INSERT INTO orders VALUES ('ada', 1, 1), ('ada', 2, 1), ('ada', 3, 6);
`

func openStock(file string) (*stock, error) {
	const settings = "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_txlock=immediate"
	db, err := sql.Open("sqlite", "file:"+file+settings)
	if err != nil {
		return nil, err
	}
	reports, err := sql.Open("sqlite", "file:"+file+settings)
	if err != nil {
		return nil, err
	}
	reports.SetMaxOpenConns(1)
	if _, err := db.Exec(schema); err != nil {
		return nil, err
	}
	byProduct, err := db.Prepare("SELECT id, name, cents FROM products WHERE id = ?")
	if err != nil {
		return nil, err
	}
	return &stock{db, reports, byProduct}, nil
}

var errNoProduct = errors.New("no such product")

func (s *stock) product(ctx context.Context, id int) (*catalogue.Product, error) {
	var p catalogue.Product
	err := s.byProduct.QueryRowContext(ctx, id).Scan(&p.ID, &p.Name, &p.Cents)
	if err == sql.ErrNoRows {
		return nil, errNoProduct
	}
	return &p, err
}

func (s *stock) bought(ctx context.Context, customer string) ([]catalogue.Product, error) {
	return s.products(ctx, `SELECT p.id, p.name, p.cents FROM orders o
		JOIN products p ON p.id = o.product WHERE o.customer = ?`, customer)
}

func (s *stock) cart(ctx context.Context, id int) ([]catalogue.Product, error) {
	return s.products(ctx, `SELECT p.id, p.name, p.cents FROM carts c
		JOIN products p ON p.id = c.product WHERE c.cart = ?`, id)
}

func (s *stock) products(ctx context.Context, query string, args ...any) ([]catalogue.Product, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var products []catalogue.Product
	for rows.Next() {
		var p catalogue.Product
		if err := rows.Scan(&p.ID, &p.Name, &p.Cents); err != nil {
			return nil, err
		}
		products = append(products, p)
	}
	return products, rows.Err()
}

// order fails where there is not enough left: the table's CHECK says so.
func (s *stock) order(ctx context.Context, customer string, product, count int) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if _, err := tx.ExecContext(ctx, "UPDATE products SET left = left - ? WHERE id = ?",
		count, product); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO orders (customer, product, count) VALUES (?, ?, ?)",
		customer, product, count); err != nil {
		return err
	}
	return tx.Commit()
}

// sales takes its time for each row. Meanwhile the other query waits for the pool's only
// connection, and looks slow.
func (s *stock) sales(ctx context.Context) (map[string]int, error) {
	rows, err := s.reports.QueryContext(ctx, `SELECT p.name, sum(o.count) FROM orders o
		JOIN products p ON p.id = o.product GROUP BY p.name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()

	var customers int
	counted := make(chan error, 1)
	go func() {
		counted <- s.reports.QueryRowContext(ctx, "SELECT count(DISTINCT customer) FROM orders").
			Scan(&customers)
	}()

	sales := map[string]int{}
	for rows.Next() {
		var name string
		var sold int
		if err := rows.Scan(&name, &sold); err != nil {
			return nil, err
		}
		sales[name] = sold
		time.Sleep(40 * time.Millisecond) // draws a chart
	}
	rows.Close()
	err = <-counted
	sales["customers"] = customers
	return sales, errors.Join(err, rows.Err())
}
